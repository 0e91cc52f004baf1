/*
 * 2-view.js - a poll on the screen: shows what the server wrote, paints tallies into it, votes.
 */
/* Where a poll stands: an article of this page, or one in the shadow of `host`. */
class View {
  constructor(id, url, host) {
    this.id = id;
    this.url = url;
    this.host = host;
    this.status = document.createElement('p');
    this.status.className = 'unseen';
    this.status.role = 'status';
    views.add(this);
  }

  leave() {
    views.delete(this);
    arrange();
  }

  /* Whom the site names, or where it matters to what is seen, whom this script does. */
  token() {
    return this.host?.getAttribute('token') ??
      (this.host && this.article?.dataset.results && store[key] || '');
  }

  async read(url) {
    const options = { cache: 'no-cache', headers: bearer(this.token()) };
    const answer = await ask(url, options);
    if (!answer.ok && answer.status !== 404) throw answer;
    return parse(await answer.text());
  }

  load() {
    return this.loading ??= (async () => {
      let doc = await this.read(this.url);
      if (!this.find(doc)) doc = await this.read('p/' + this.id); /* which says that it is gone */
      const as = this.token();
      const { state, version } = this.find(doc).dataset;
      const was = this.article?.dataset;
      if (was && version === was.version && state === was.state) return;
      await this.show(doc);
      if (this.token() !== as) await this.show(await this.read(this.url));
    })().finally(() => this.loading = null);
  }

  find(doc) {
    return doc.getElementById(this.id) ?? doc.querySelector('article:not([id])');
  }

  async show(doc) {
    const { article, host } = this;
    const fresh = this.find(doc);
    for (const input of article?.querySelectorAll(':checked') ?? []) {
      const same = fresh.querySelector(`[name="${input.name}"][value="${input.value}"]`);
      if (same) same.checked = true;
    }
    for (const name of ['role', 'autofocus']) fresh.querySelector('.news')?.removeAttribute(name);
    await host?.dress(this, doc, fresh);
    const hasFocus = article?.matches(':focus-within');
    article?.replaceWith(fresh);
    this.settle(fresh, doc);
    if (hasFocus) this.tell(':checked');
  }

  settle(article, doc) {
    const words = doc.querySelector('main').dataset.words;
    this.article = article;
    this.version = +article.dataset.version;
    this.lang = doc.documentElement.lang;
    if (words) this.words = JSON.parse(words);
    for (const time of article.querySelectorAll('time')) {
      time.title = time.textContent;
      time.textContent = new Date(time.dateTime).toLocaleString(this.lang, { dateStyle: 'long', timeStyle: 'long' });
    }
    /* In a frame of somebody's no cookie comes along: there the form opens a window, as without
     * a script. */
    if (self === parent || this.host) article.onsubmit = (event) => {
      event.preventDefault();
      this.vote(event.target);
    };
    watcher.observe(article);
    arrange();
  }

  text(word, n, values) {
    const texts = this.words[word];
    const text = texts[new Intl.PluralRules(this.lang).select(n)] ?? texts.other ?? texts;
    return text.replace(/{(\w+)}/g, (_, name) => values[name]);
  }

  number(n) {
    return n.toLocaleString(this.lang, { maximumFractionDigits: 2 });
  }

  /* A tally that has come: its figures, or where more than those is another, a new article. */
  paint(tally) {
    const { article } = this;
    this.newest = tally;
    if (this.loading) {
      this.loading.then(() => this.paint(tally), () => {});
      return;
    }
    const { options, votes, rating } = tally;
    const texts = [tally.title, ...options.map((option) => option.label)].join();
    const isOther = this.texts !== texts;
    this.texts = texts;
    if (this.sending || tally.version === this.version) return;
    const rows = [...article.querySelectorAll('.rows > li')];
    const total = article.querySelector('.total');
    const isNew = isOther || tally.state !== article.dataset.state || !article.dataset.version ||
      rows.length !== options.length && options.some((option) => option.votes);
    if (isNew) {
      this.url.searchParams.set('v', tally.id + tally.version); /* no cache has seen that */
      /* Where it cannot be read, its figures are still shown, and what they do not tell is asked for
       * again. */
      this.load().catch(() => pause(5000).then(() => views.has(this) && this.paint(this.newest)));
      return;
    }
    this.version = tally.version;
    if (!total) rows.reverse();
    rows.forEach((row, i) => this.row(row, options, i, total));
    const where = total ?? article.querySelector('.mean .figure');
    const word = total?.dataset.word ?? 'rated';
    const n = word === 'several' ? tally.voters : votes;
    const values = { n: this.number(n), votes: this.number(n), rating: this.number(rating ?? 0) };
    where.textContent = this.text(votes ? word : 'no-votes', n, values);
    /* A star is 24 wide, its outline 19.8 of these. */
    const part = rating % 1;
    article.querySelector('.on')?.setAttribute('width', (rating - part) * 24 + (part && 2.1 + part * 19.8));
  }

  row(row, options, i, hasTies) {
    const { votes, share, shown } = options[i];
    const figure = this.text('figure', votes, { votes: this.number(votes), shown });
    const bar = row.querySelector('.bar');
    row.querySelector('.figure').textContent = figure;
    bar.ariaValueNow = share;
    bar.ariaValueText = figure;
    bar.querySelector('rect').setAttribute('width', share * 100 + '%');
    row.querySelector('.tie')?.remove();
    if (!hasTies || !votes || !options.some((o, j) => j !== i && o.votes === votes)) return;
    const tie = document.createElement('small');
    tie.className = tie.part = 'tie';
    tie.textContent = this.words[options.every((o) => o.votes <= votes) ? 'tied-first' : 'tied'];
    row.querySelector('bdi').after(' ', tie);
  }

  say(text) {
    const news = this.article.querySelector('.news') ?? document.createElement('p');
    news.className = news.part = 'news alert';
    news.tabIndex = -1;
    this.status.textContent = news.textContent = text;
    this.article.querySelector('legend, h1').after(news);
  }

  async vote(form) {
    if (this.sending) return;
    const button = form.querySelector('button');
    const label = button.textContent;
    const body = new URLSearchParams(new FormData(form));
    this.sending = button.disabled = true;
    button.textContent = this.words.sending;
    const answer = await this.send('p/' + this.id + this.url.search, body);
    const doc = parse(answer?.html);
    if (doc.getElementById(this.id)) {
      /* Asked for again, it says so again, and has no form where there is nothing to change. */
      if (/done=/.test(answer.url)) this.url = new URL(answer.url);
      await this.show(doc);
    } else {
      const why = !answer ? 'refused-origin' : answer.status === 429 ? 'refused-often' : 'refused';
      this.say(doc.querySelector('article p')?.textContent ?? this.words[why]);
      button.disabled = false;
      button.textContent = label;
    }
    this.sending = false;
    this.tell('button');
    running = null; /* who has voted may see more; and a stream begins with the newest */
    arrange();
  }

  /* Said once: by the focus, or where that goes on to the form, by the live region. */
  tell(css) {
    const news = this.article.querySelector('.news');
    const next = this.article.querySelector(css) ?? this.article.querySelector('button');
    this.status.textContent = next ? news?.textContent : '';
    (next ?? news)?.focus();
  }

  /* The same vote again until it is answered: it counts once. Nothing: this site may not send it. */
  async send(path, body) {
    const { id, host } = this;
    for (let ms = 1000, renewed = !host || host.hasAttribute('token'); ; ms = Math.min(ms * 2, 30000)) {
      const answer = await this.post(path, body).catch((error) => error.status && error);
      minting = null;
      if (answer?.status === 403 && !renewed) {
        renewed = true; /* it has run out, or its key is gone */
        keep('');
        continue;
      }
      if (answer?.status < 500 || answer?.status === 501) return answer;
      if (!answer && host && await reaches(here) && !await reaches(`v1/polls/${id}/votes/mine`))
        return;
      this.say(this.words[answer ? 'again' : 'offline']);
      await pause(answer?.headers.get('Retry-After') * 1000 || ms);
    }
  }

  async post(path, body) {
    const { article, host } = this;
    let token = this.token();
    if (host && !token && !article.dataset.voters) {
      if (!store[key]) await (minting ??= mint());
      token = store[key];
    }
    const answer = await ask(path, { method: 'POST', body, headers: bearer(token) });
    answer.html = await answer.text(); /* or it breaks off, and is as good as none */
    return answer;
  }
}
