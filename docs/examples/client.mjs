// A vote and a tally, in JavaScript: signs a voter token with the site's own key.
//
//   node client.mjs URL KEY POLL VOTER OPTION      KEY is a line of site_key_file: "kid secret"
import { createHmac } from 'node:crypto';

const b64 = (data) => Buffer.from(data).toString('base64url');

// On the server only: whoever has the key is everybody.
function voterToken(key, voter, seconds = 86400) {
  const [kid, secret] = key.split(' ');
  const head = b64(JSON.stringify({ alg: 'HS256', kid }));
  const claims = b64(JSON.stringify({ sub: voter, exp: Math.floor(Date.now() / 1000) + seconds }));
  const signature = createHmac('sha256', Buffer.from(secret, 'base64url'))
    .update(`${head}.${claims}`).digest('base64url');
  return `${head}.${claims}.${signature}`;
}

// Status and JSON; 503 and 429 may be sent again later, the vote counts once.
async function ask(method, url, body, token) {
  const headers = { 'Content-Type': 'application/json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  const answer = await fetch(url, {
    method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10000),
  });
  return [answer.status, await answer.json()];
}

const [url, key, poll, voter, option] = process.argv.slice(2);
const [status, answer] = await ask('POST', `${url}/v1/polls/${poll}/votes`,
  { option: Number(option) }, voterToken(key, voter));
console.log(status < 300 ? answer.result : `${status} ${answer.detail}`);
const [, tally] = await ask('GET', `${url}/v1/polls/${poll}/tally`);
for (const row of tally.options) console.log(row.label, row.votes, row.shown);
