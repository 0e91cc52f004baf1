/*
 * 4-start.js - <tally-poll>, and the polls that stand on a page of tallyd's own.
 */
let sheet; /* one for all widgets */

async function readSheet(doc, url) {
  const made = new CSSStyleSheet();
  const href = doc.querySelector('link').getAttribute('href');
  return made.replace(await (await ask(new URL(href, url))).text());
}

class TallyPoll extends HTMLElement {
  static observedAttributes = ['poll', 'lang', 'token'];

  constructor() {
    super();
    this.attachShadow({ mode: 'open' }).append(document.createElement('slot'));
  }

  connectedCallback() {
    const id = this.getAttribute('poll');
    const lang = this.closest('[lang]')?.lang ?? '';
    const url = new URL('embed/' + encodeURIComponent(id), base);
    if (lang) url.searchParams.set('lang', lang);
    this.view = new View(id, url, this);
    this.load(this.view);
  }

  disconnectedCallback() {
    this.view.leave();
    this.view = null;
  }

  attributeChangedCallback() {
    if (!this.view) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /* What stands between the tags is shown until the poll is there. */
  async load(view) {
    for (let ms = 1000; views.has(view); ms = Math.min(ms * 2, 60000)) {
      try {
        return await view.load();
      } catch {
        await pause(ms);
      }
    }
  }

  /* Makes an article of the server's one of this shadow. */
  async dress(view, doc, article) {
    const { shadowRoot } = this;
    sheet ??= readSheet(doc, view.url).catch(() => sheet = null);
    const style = await sheet;
    if (style) shadowRoot.adoptedStyleSheets = [style];
    for (const element of article.querySelectorAll('[class], h1, button'))
      element.part = element.getAttribute('class') ?? element.localName;
    article.part = 'poll';
    article.querySelector('h1').ariaLevel = 2;
    if (view.article || view !== this.view) return;
    const frame = document.createElement('div');
    frame.lang = doc.documentElement.lang;
    frame.dir = doc.documentElement.dir;
    frame.append(doc.querySelector('svg'), article, view.status);
    shadowRoot.replaceChildren(frame);
  }
}

document.onvisibilitychange = arrange;

if (isOwn) {
  for (const article of document.querySelectorAll('article[id]')) {
    const view = new View(article.id, new URL(location));
    document.body.append(view.status);
    view.settle(article, document);
  }
  /* Whose page this is a frame of is told how high it is, and nothing else. */
  const root = document.documentElement;
  if (self !== parent)
    new ResizeObserver(() => parent.postMessage({ tallyd: 'height', height: root.offsetHeight }, '*')).observe(root);
} else {
  customElements.get('tally-poll') ?? customElements.define('tally-poll', TallyPoll);
}
