// Signs and verifies voter tokens with the libraries that sites use.
//
//   sign.js sign jose|jsonwebtoken      {"kid","secret","claims"} on stdin; the token on stdout
//   sign.js verify jose|jsonwebtoken    {"secret","token"} on stdin; the claims on stdout
//
// `secret` is in base64url.
'use strict';
const { readFileSync } = require('fs');

const libraries = {
  jose: {
    sign(given, secret) {
      const { SignJWT } = require('jose');
      return new SignJWT(given.claims)
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: given.kid })
        .sign(secret);
    },
    async verify(given, secret) {
      const { jwtVerify } = require('jose');
      const { payload } = await jwtVerify(given.token, secret, { algorithms: ['HS256'] });
      return JSON.stringify(payload);
    },
  },
  jsonwebtoken: {
    sign(given, secret) {
      const jwt = require('jsonwebtoken');
      return jwt.sign(given.claims, secret, { algorithm: 'HS256', keyid: given.kid });
    },
    verify(given, secret) {
      const jwt = require('jsonwebtoken');
      return JSON.stringify(jwt.verify(given.token, secret, { algorithms: ['HS256'] }));
    },
  },
};

async function main([work, library]) {
  const given = JSON.parse(readFileSync(0, 'utf8'));
  const secret = Buffer.from(given.secret, 'base64url');
  process.stdout.write(await libraries[library][work](given, secret));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
