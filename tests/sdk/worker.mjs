// A receiver that verifies with the providers' Node packages, and that signs for the driver. worker.py is
// its twin; both speak the same few requests:
//
//   GET  /routes           what there is: the fields of providers.mjs that the driver needs
//   GET  /counts           what arrived on each route, and what the package said of it
//   POST /make/NAME        {n, at, attempt} -> {headers, body (base64)}: a signed delivery
//   POST /judge/NAME       {method, url, headers, body (base64)} -> {valid, why}
//   POST /fail/NAME        answer the next delivery with 500
//   POST /hooks/NAME       a delivery that the gateway forwarded: 200 only if the package verifies it
//
// Run by drive.mjs with the gateway's URL; prints "ready PORT".

import { createServer } from 'node:http';
import { providers } from './providers.mjs';

const gateway = process.argv[2];
const routes = new Map();
for (const entry of providers) {
  // One after the other: some packages load others of the same names.
  routes.set(entry.name, { entry, lib: await entry.load(), seen: 0, verified: 0, fail: false, last: null });
}

const urlOf = (name) => `${gateway}/node-${name}`;

async function judge({ entry, lib }, request) {
  try {
    const answer = await entry.verify(lib, entry.secret, request);
    return { valid: answer !== false && answer !== undefined && answer !== null, why: answer ? '' : 'the package says no' };
  } catch (error) {
    return { valid: false, why: String(error?.message ?? error) };
  }
}

async function receive(name, route, request, body) {
  route.seen += 1;
  route.last = { headers: request.headers, method: request.method };
  const { valid, why } = await judge(route, { method: request.method, url: urlOf(name), headers: request.headers, body });
  if (valid) route.verified += 1;
  else console.error(`node ${name}: not verified: ${why}`);
  if (route.fail) {
    route.fail = false;
    return [500, { why: 'told to fail' }];
  }
  return [valid ? 200 : 400, { valid, why }];
}

async function make(name, { entry, lib }, { n, at, attempt }) {
  const body = Buffer.from(entry.body({ n, at, attempt }));
  const headers = await entry.sign(lib, entry.secret, { body, at, n, url: urlOf(name) });
  return { headers: { 'Content-Type': entry.contentType ?? 'application/json', ...headers }, body: body.toString('base64') };
}

async function answer(request, body) {
  const [, verb, name] = request.url.split('?')[0].split('/');
  if (verb === 'routes') {
    return [200, providers.map((entry) => ({
      name: entry.name, provider: entry.provider, package: entry.package, secret: entry.secret, publicKey: entry.publicKey, keyId: entry.keyId, keyHeader: entry.keyHeader,
      retries: entry.retries, signedTime: entry.signedTime ?? false, eventId: entry.eventId ?? false,
      url: entry.url ?? false, sample: entry.sample ?? true, marker: entry.marker,
    }))];
  }
  if (verb === 'counts') {
    return [200, Object.fromEntries([...routes].map(([key, { seen, verified, last }]) => [key, { seen, verified, last }]))];
  }
  const route = routes.get(name);
  if (!route) return [404, {}];
  if (verb === 'hooks') return receive(name, route, request, body);
  const asked = body.length ? JSON.parse(body) : {};
  if (verb === 'make') return [200, await make(name, route, asked)];
  if (verb === 'judge') return [200, await judge(route, { ...asked, body: Buffer.from(asked.body, 'base64') })];
  if (verb === 'fail') {
    route.fail = true;
    return [200, {}];
  }
  return [404, {}];
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  let status = 500;
  let value;
  try {
    [status, value] = await answer(request, Buffer.concat(chunks));
  } catch (error) {
    value = { why: String(error?.stack ?? error) };
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
});
server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
