/*
 * 3-live.js - keeps the polls of this page live while one of them can be seen: by a stream, else by
 * long polls, else by asking now and then.
 */
const views = new Set();
let running = '';
let controller;
let due;

const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.isSeen = isIntersecting;
  arrange();
});

/* One stream for all polls of the page, or one for each 20, while one of them can be seen. */
function arrange() {
  due ??= setTimeout(() => {
    due = null;
    const live = [...views].filter((view) => view.article?.dataset.state);
    const ids = [...new Set(live.map((view) => view.id))];
    const as = live.map((view) => view.token()).find(Boolean);
    const isSeen = !document.hidden && live.some((view) => view.article.isSeen);
    const wanted = isSeen ? [ids, as, live.map((view) => !view.version)].join() : '';
    if (wanted === running) return;
    running = wanted;
    controller?.abort();
    controller = new AbortController();
    const options = { signal: controller.signal, cache: 'no-store', headers: bearer(as) };
    for (let i = 0; isSeen && i < ids.length; i += 20) follow(ids.slice(i, i + 20), options);
  }, 50);
}

const viewOf = (id) => [...views].find((view) => view.id === id);

/* Whether a stream tells of it: the cookie of tallyd's own page sees more than a stream does. */
function isTold(id) {
  const { version, article } = viewOf(id);
  return version && !(isOwn && article.dataset.results);
}

/* Whether a tally that has come was news to anybody. */
function take(tally) {
  let isNew = false;
  for (const view of views) {
    if (view.id !== tally.id || !view.article) continue;
    isNew ||= !tally.hidden && view.version !== tally.version;
    if (!tally.hidden) view.paint(tally);
    else if (isOwn && view.version) drop(tally.id);
  }
  return isNew;
}

function drop(id) {
  for (const view of views) if (view.id === id) view.load().catch(() => {});
}

async function follow(ids, options) {
  const best = ids[1] || isTold(ids[0]) ? stream : poll;
  let way = best;
  let ms = 1000;
  while (!options.signal.aborted) {
    const went = await way(ids, options).catch(() => null);
    way = went === false ? poll : best;
    ms = went ? 1000 : Math.min(ms * 2, 60000);
    await pause(ms, options.signal);
  }
}

async function stream(ids, options) {
  const silence = new AbortController();
  const signal = AbortSignal.any([options.signal, silence.signal]);
  let text = '';
  let heard = false;
  let timer;
  const wait = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), ms);
  };
  wait(10000);
  try {
    const answer = await ask('v1/events?ids=' + ids, { ...options, signal });
    const reader = answer.ok && answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece; reader && !(piece = await reader.read()).done; wait(40000)) {
      const events = (text + piece.value).split('\n\n');
      text = events.pop();
      for (const event of events) {
        const data = /^data:.(.*)/m.exec(event);
        if (!data) continue;
        heard = true;
        const tally = JSON.parse(data[1]);
        if (/^event:.d/.test(event)) drop(tally.id);
        else take(tally);
      }
    }
  } catch (error) {
    if (!heard && !silence.signal.aborted) throw error;
  }
  return heard; /* else something between holds streams back */
}

/* One poll is waited for; several, or what is hidden, are asked after now and then. Ends after a
 * while: a stream may be possible again. */
async function poll(ids, options) {
  let waits = !ids[1] && isTold(ids[0]);
  for (let n = 0, ms = 5000; n < 10; n++, await pause(ms, options.signal)) {
    const path = waits ? `v1/polls/${ids}/tally?wait=30&version=${viewOf(ids[0])?.version}` : 'v1/tallies?ids=' + ids;
    const answer = await ask(path, options);
    if (!answer.ok && !waits) return;
    waits &&= answer.ok;
    if (!answer.ok) continue;
    const got = await answer.json();
    got.missing?.forEach(drop);
    ms = [got.tallies ?? got].flat().filter(take)[0] || waits ? 1000 : Math.min(ms * 2, 60000);
  }
  return true;
}
