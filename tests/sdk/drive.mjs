// Drives the test: starts the two receivers and one gateway, sends deliveries, compares, prints, and ends
// everything that it started. README.md tells what is proven. Run by ./run.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const HOUR = 3_600_000;
const COLUMNS = ['own', 'accepted', 'again', 'changed', 'stale', 'future', 'redelivered', 'retried', 'sample', 'signed'];

const [binary, python] = process.argv.slice(2);
const here = import.meta.dirname;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const children = [];
let scratch;

/** Starts a program whose first line is "ready PORT". */
async function startWorker(program, file, gateway) {
  const child = spawn(program, [join(here, file), gateway], { cwd: here, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${file} ended with ${code} before it was ready`))),
    sleep(30_000, undefined, { ref: false }).then(() => Promise.reject(new Error(`${file} was not ready in 30 s`))),
  ]);
  const port = Number(/^ready (\d+)$/.exec(line)?.[1]);
  if (!port) throw new Error(`${file} said: ${line}`);
  return `http://127.0.0.1:${port}`;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** One request with exactly these headers; nothing is followed, decoded or repeated. */
async function send(method, url, headers = {}, body = Buffer.alloc(0)) {
  const request = httpRequest(url, {
    method, agent, timeout: 15_000, headers: { ...headers, ...(method === 'POST' && { 'Content-Length': body.length }) },
  });
  request.on('timeout', () => request.destroy(new Error(`no answer in 15 s: ${method} ${url}`)));
  request.end(method === 'POST' ? body : undefined);
  const [response] = await once(request, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  let json;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.statusCode, code: json?.code, text, json };
}

async function ask(worker, path, value) {
  const answer =
    value === undefined ? await send('GET', worker + path) : await send('POST', worker + path, {}, Buffer.from(JSON.stringify(value)));
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
  return answer.json;
}

function configuration(gateway, admin, routes) {
  const quoted = JSON.stringify;
  const tables = routes.map((route) => {
    const expect = route.url ? `expect   = { url = ${quoted(gateway + route.path)} }\n` : '';
    return `[routes.${route.id}]
path     = ${quoted(route.path)}
provider = ${quoted(route.provider)}
${route.publicKey ? 'public_keys' : 'secrets'} = [{ value = ${quoted(route.publicKey ?? route.secret)}, id = ${quoted(route.keyId ?? 'sdk')} }]
upstream = ${quoted(`${route.worker}/hooks/${route.name}`)}
${expect}`;
  });
  return `[server]
listen  = [${quoted(gateway.replace('http://', ''))}]
answers = "codes"

[admin]
listen = ${quoted(admin.replace('http://', ''))}

${tables.join('\n')}`;
}

async function startGateway(file, admin) {
  const child = spawn(binary, ['run', '-c', file], { cwd: scratch, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const log = createWriteStream(join(scratch, 'gateway.log'));
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  for (let tries = 0; tries < 150; tries += 1) {
    if (child.exitCode !== null || child.signalCode) break;
    const answer = await send('GET', `${admin}/readyz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(100);
  }
  throw new Error('the gateway did not become ready');
}

/** Standard output of the gateway's program, or an error with what it complained about. */
async function output(args, input) {
  const child = spawn(binary, args, { cwd: scratch, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const read = async (stream) => {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const [out, err, [code]] = await Promise.all([read(child.stdout), read(child.stderr), once(child, 'exit')]);
  if (code !== 0) throw new Error(`exit ${code}: ${err.trim().split('\n').slice(0, 3).join(' | ')}`);
  return out;
}

const lowerNames = (headers) => Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));

function wanted(what, condition, detail) {
  if (!condition) throw new Error(`${what}: ${detail}`);
}

/** What the gateway answers where it refuses. */
function refused(answer, status, code) {
  wanted(`${status} ${code}`, answer.status === status && answer.code === code, `got ${answer.status} ${answer.text.slice(0, 200)}`);
  return String(status);
}

/** All that is tried on one route, in this order; each answers with what the table shows. */
function cases(route, gateway) {
  const { worker, name } = route;
  const url = gateway + route.path;
  const make = async (n, { at = Date.now(), attempt = 1 } = {}) => {
    const { headers, body } = await ask(worker, `/make/${name}`, { n, at, attempt });
    return { headers, body: Buffer.from(body, 'base64') };
  };
  const judge = ({ method = 'POST', headers, body }) =>
    ask(worker, `/judge/${name}`, { method, url, headers: lowerNames(headers), body: body.toString('base64') });
  // What a sender says of itself must not reach the receiver.
  const deliver = ({ headers, body }) => send('POST', url, { ...headers, 'Hookward-Verified': 'forged' }, body);
  const changed = ({ headers, body }) => {
    const at = body.indexOf(route.marker ?? 'unchanged');
    const other = Buffer.from(body);
    other[at] ^= 1;
    return { headers, body: other };
  };
  /** Runs `action` and demands that so many deliveries reached the receiver, all of them verified there. */
  const reaching = async (count, action) => {
    const before = (await ask(worker, '/counts'))[name];
    const result = await action();
    const after = (await ask(worker, '/counts'))[name];
    const [seen, verified] = [after.seen - before.seen, after.verified - before.verified];
    wanted('the receiver', seen === count && verified === count, `${count} expected, ${seen} arrived, ${verified} verified`);
    return [result, after.last];
  };
  const signed = async (input) => {
    const args = ['sign', '--provider', route.provider, '--secret', route.secret, '--url', url, '--format', 'json'];
    if (input) args.push('--body', '-', '--header', `Content-Type: ${input.headers['Content-Type']}`);
    if (route.keyHeader) args.push('--header', `${route.keyHeader}: ${route.keyId}`);
    const made = JSON.parse(await output(args, input?.body));
    wanted('the URL', made.url === url, made.url);
    const { valid, why } = await judge({ method: made.method, headers: made.headers, body: Buffer.from(made.body_b64, 'base64') });
    wanted(`accepted by ${route.package}`, valid, `${why}; ${JSON.stringify(made.headers)}`);
    return 'valid';
  };
  let first;
  let firstAt;

  return {
    // The package's own words on what is sent: if this fails, the test is wrong, not the gateway.
    own: async () => {
      const delivery = await make(1);
      const [good, bad] = [await judge(delivery), await judge(changed(delivery))];
      wanted('what was signed', good.valid, good.why);
      wanted('one changed byte', !bad.valid, 'accepted by the package');
      return 'valid';
    },
    accepted: async () => {
      firstAt = Date.now();
      first = await make(2, { at: firstAt });
      const [answer, last] = await reaching(1, () => deliver(first));
      wanted('200', answer.status === 200, `got ${answer.status} ${answer.text.slice(0, 200)}`);
      const proven = (last.headers['hookward-verified'] ?? '').split(/, */);
      const expected = ['signature', ...(route.signedTime ? ['timestamp'] : []), 'replay'];
      wanted('Hookward-Verified', expected.every((word) => proven.includes(word)) && !proven.includes('forged'), proven.join(', '));
      wanted('Hookward-Provider', last.headers['hookward-provider'] === route.provider, last.headers['hookward-provider']);
      wanted('Hookward-Route', last.headers['hookward-route'] === route.id, last.headers['hookward-route']);
      wanted('Hookward-Key-Id', last.headers['hookward-key-id'] === (route.keyId ?? 'sdk'), last.headers['hookward-key-id']);
      return '200';
    },
    again: async () => {
      const [answer] = await reaching(0, () => deliver(first));
      if (route.retries !== 'identical') return refused(answer, 409, 'replayed');
      wanted('200', answer.status === 200, `got ${answer.status} ${answer.text.slice(0, 200)}`);
      return '200';
    },
    changed: async () => {
      const delivery = changed(await make(3));
      const [answer] = await reaching(0, () => deliver(delivery));
      return refused(answer, 401, 'signature_mismatch');
    },
    stale: route.signedTime && (async () => {
      const delivery = await make(4, { at: Date.now() - HOUR });
      const [answer] = await reaching(0, () => deliver(delivery));
      return refused(answer, 401, 'timestamp_expired');
    }),
    future: route.signedTime && (async () => {
      const delivery = await make(5, { at: Date.now() + HOUR });
      const [answer] = await reaching(0, () => deliver(delivery));
      return refused(answer, 401, 'timestamp_in_future');
    }),
    redelivered: route.eventId && (async () => {
      // The event of `accepted`, signed anew.
      const delivery = await make(2, { at: firstAt - 10_000, attempt: 2 });
      const same = delivery.body.equals(first.body) && JSON.stringify(delivery.headers) === JSON.stringify(first.headers);
      wanted('another delivery', !same, 'the same bytes were made');
      const [answer] = await reaching(0, () => deliver(delivery));
      wanted('200', answer.status === 200, `got ${answer.status} ${answer.text.slice(0, 200)}`);
      return '200';
    }),
    retried: async () => {
      // What failed at the receiver goes through when it comes again, to the byte.
      const delivery = await make(6);
      await ask(worker, `/fail/${name}`, {});
      const [[failed, repeated]] = await reaching(2, async () => [await deliver(delivery), await deliver(delivery)]);
      wanted('500, then 200', failed.status === 500 && repeated.status === 200, `got ${failed.status}, then ${repeated.status} ${repeated.text.slice(0, 200)}`);
      return '200';
    },
    sample: route.sample && (() => signed()),
    signed: async () => signed(await make(7)),
  };
}

async function runRoute(route, gateway) {
  const row = {};
  const failures = [];
  for (const [column, action] of Object.entries(cases(route, gateway))) {
    if (!action) continue;
    try {
      row[column] = await action();
    } catch (error) {
      row[column] = 'FAILED';
      failures.push(`${route.id} (${route.package}), ${column}: ${error.message}`);
    }
  }
  return { route, row, failures };
}

/** The gateway's own count of what it forwarded, against what the receivers saw. */
async function compareMetrics(admin, routes) {
  const { text } = await send('GET', `${admin}/metrics`);
  const failures = [];
  for (const route of routes) {
    const forwarded = text
      .split('\n')
      .filter((line) => line.startsWith('hookward_requests_total{') && line.includes(`route="${route.id}"`) && line.includes('decision="forwarded"'))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
    const { seen } = (await ask(route.worker, '/counts'))[route.name];
    if (forwarded !== seen) failures.push(`${route.id}, metrics: hookward_requests_total says ${forwarded} forwarded, the receiver saw ${seen}`);
  }
  return failures;
}

function print(results) {
  const lines = [['ROUTE', 'PACKAGE', ...COLUMNS]];
  for (const { route, row } of results) lines.push([route.id, route.package, ...COLUMNS.map((column) => row[column] ?? '-')]);
  const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)));
  for (const line of lines) console.log(line.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd());
}

async function endAll() {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode) return;
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    }),
  );
}

async function test() {
  const [gatewayPort, adminPort] = [await freePort(), await freePort()];
  const [gateway, admin] = [`http://127.0.0.1:${gatewayPort}`, `http://127.0.0.1:${adminPort}`];
  const workers = await Promise.all([startWorker(process.execPath, 'worker.mjs', gateway), startWorker(python, 'worker.py', gateway)]);
  const routes = [];
  for (const [i, worker] of workers.entries()) {
    for (const route of await ask(worker, '/routes')) {
      const id = `${['node', 'python'][i]}-${route.name}`;
      routes.push({ ...route, id, path: `/${id}`, worker });
    }
  }
  const file = join(scratch, 'hookward.toml');
  await writeFile(file, configuration(gateway, admin, routes));
  await startGateway(file, admin);

  const started = Date.now();
  // A few at a time: some packages accept a signature for five seconds only.
  const results = [];
  const waiting = [...routes.entries()];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await runRoute(next[1], gateway);
    }),
  );
  print(results);
  const metrics = await compareMetrics(admin, routes);
  const failures = [...results.flatMap((result) => result.failures), ...metrics];
  const tried = results.reduce((sum, { row }) => sum + Object.keys(row).length, 0) + routes.length;
  const providers = new Set(routes.map((route) => route.provider)).size;
  const packages = routes.map((route) => `${route.id.split('-')[0]} ${route.package}`);
  console.log(`${providers} providers, ${new Set(packages).size} packages, ${((Date.now() - started) / 1000).toFixed(1)} s`);
  for (const failure of failures) console.log(`FAILED ${failure}`);
  return { passed: tried - failures.length, failed: failures.length };
}

async function main() {
  // A reader that goes away must not keep us from ending what was started.
  process.stdout.on('error', () => {});
  scratch = await mkdtemp(join(tmpdir(), 'hookward-sdk-'));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      await endAll();
      await rm(scratch, { recursive: true, force: true });
      process.exit(1);
    });
  }
  let result = { passed: 0, failed: 1 };
  try {
    result = await test();
  } catch (error) {
    console.log(`FAILED ${error.stack ?? error}`);
  } finally {
    await endAll();
    agent.destroy();
    if (result.failed) {
      const log = await readFile(join(scratch, 'gateway.log'), 'utf8').catch(() => '');
      if (log) console.log(`The end of the gateway's log:\n${log.split('\n').slice(-20).join('\n')}`);
    }
    await rm(scratch, { recursive: true, force: true });
  }
  console.log(`${result.passed} passed, ${result.failed} failed`);
  process.exitCode = result.failed ? 1 : 0;
}

await main();
