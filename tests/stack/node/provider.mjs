// A real OpenID Connect provider (panva's oidc-provider) on loopback, whose people are given on the command line:
//   node provider.mjs '{"client_id": "...", "client_secret": "...", "redirect_uri": "...", "people": {"dan": {...claims}}}'
// Its first line says where it listens. Its own development login page takes any name of its people.
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

const { client_id, client_secret, redirect_uri, people } = JSON.parse(process.argv[2]);
const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id, client_secret, redirect_uris: [redirect_uri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['only for tests'] },
    findAccount: (_, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
    pkce: { required: () => true },
  });
  server.on('request', provider.callback());
  process.stdout.write(`${JSON.stringify({ url: issuer })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
