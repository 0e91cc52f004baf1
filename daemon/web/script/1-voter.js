/*
 * 1-voter.js - where tallyd is, and by what token a site's reader votes there.
 *
 * The files of this folder are one script, /widget.js: <tally-poll poll="ID"> on anybody's site, and
 * live figures on tallyd's own pages. The server writes what is shown: a poll comes as the article
 * of /embed/ID or /p/ID, with every text, figure and bar in it, and with the words for what changes
 * later (data-words of <main>). A vote is the page's own form, sent by fetch; its answer is the next
 * article. Between the two the figures of a tally are put in place. Nothing is worked out here:
 * `shown` is printed, a bar is as long as `share`.
 *
 * A site names its reader by a token, which the script keeps in the site's storage and sends in a
 * header; on tallyd's own pages the cookie does it, and the script keeps nothing.
 *
 * The build joins the files in their order, and leaves comments and spaces out
 * (script/cmake/embed_files.cmake): no string holds an operator with spaces around it, or a space
 * behind a comma or colon.
 */
const here = import.meta.url;
const isOwn = /\/assets\/[^/]+$/.test(here);
const base = new URL(isOwn ? '..' : '.', here);
const key = 'tallyd ' + base;

const ask = (path, options) =>
  fetch(new URL(path, base), { credentials: isOwn ? 'same-origin' : 'omit', ...options });

const bearer = (token) => token ? { Authorization: 'Bearer ' + token } : {};

/* Everybody who lost one connection comes back at another moment. */
const pause = (ms, signal) => new Promise((resolve) => {
  setTimeout(resolve, ms * (1 - Math.random() / 2));
  signal?.addEventListener('abort', resolve);
});

const parse = (text) => new DOMParser().parseFromString(text, 'text/html');

/* Where a site has no storage, or allows none, a token lasts for the visit. */
let store = {};
let minting;

try {
  store = localStorage;
} catch {}

function keep(token) {
  try {
    store[key] = token;
  } catch {
    store = { [key]: token };
  }
}

async function mint() {
  const answer = await ask('v1/voters', { method: 'POST' });
  if (!answer.ok) throw answer;
  const { token } = await answer.json();
  store[key] || keep(token); /* else another window was first */
}

const reaches = (path) => ask(path, { cache: 'no-store' }).then(() => true, () => false);
