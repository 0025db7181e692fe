// The providers whose Node packages the test uses: how a delivery is made, and how the package judges it.
//
// `body` makes the bytes from { n, at, attempt }: `n` tells events apart, `at` is Unix milliseconds, and
// `attempt` is 1 or 2. `sign` makes the headers, by the package where it can sign, else by hand as the
// provider documents. `verify` is always the package's; it may answer false or throw.
// The headers that `verify` gets have lower-case names.
//
// `retries` is what the gateway's definition says: "identical" (the same bytes again are acknowledged),
// "fresh" or "none" (they are refused). `signedTime`: a time is signed. `eventId`: an id that is signed
// tells a redelivery. `contentType` is JSON unless said; `sample: false` where the gateway's own sample for the
// provider is of another kind; `publicKey` is what the gateway is given where `secret` is a private key: base64 of
// its PKCS #8; `keyId` names the secret where the provider sends a key's name, in `keyHeader`.

import { createHash, createHmac, createPrivateKey, createPublicKey, sign as signWith } from 'node:crypto';

const hmac = (secret, text, encoding) => createHmac('sha256', secret).update(text).digest(encoding);
const seconds = (at) => String(Math.floor(at / 1000));

/** A secret that is made here, so that none stands in the source. */
const secretFor = (name) => createHash('sha256').update(`hookward sdk test ${name}`).digest('hex');
const whsec = (name) => `whsec_${createHash('sha256').update(`hookward sdk test ${name}`).digest('base64')}`;

/** A private key that is made here, as `secret`, and the public one as the provider shows it. */
const keysFor = (name, kind) => {
  const seed = createHash('sha256').update(`hookward sdk test ${name}`).digest();
  const before = { ed25519: '302e020100300506032b657004220420', p256: '3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420' }[kind];
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from(before, 'hex'), seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const secret = key.export({ format: 'der', type: 'pkcs8' }).toString('base64');
  return { secret, spki: spki.toString('base64'), raw: spki.subarray(-32) };
};
/** Signs with such a key; ECDSA in DER, over SHA-256. */
const signatureOf = (secret, text) => {
  const key = createPrivateKey({ key: Buffer.from(secret, 'base64'), format: 'der', type: 'pkcs8' });
  return signWith(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', text, key);
};
const discord = keysFor('discord', 'ed25519');
const telnyx = keysFor('telnyx', 'ed25519');
const sendgrid = keysFor('sendgrid', 'p256');

/** JSON as no serialiser would write it again: whoever parses and prints it changes its bytes. */
const loose = (value) => {
  const text = JSON.stringify({ ...value, note: 'naïve – ☃ 𝄞', marker: 'unchanged' }, null, 1);
  return text.replace('"marker"', '"escaped" : "\\u00e9\\/",\n  "number" : 1.0,\n  "marker"') + '\n';
};
const compact = (value) => JSON.stringify({ ...value, marker: 'unchanged' });

const webhookHeaders = (prefix, lib, secret, { body, at, n }) => {
  const id = `msg_${n}`;
  const signature = new lib.Webhook(secret).sign(id, new Date(at), body.toString());
  return { [`${prefix}-id`]: id, [`${prefix}-timestamp`]: seconds(at), [`${prefix}-signature`]: signature };
};

/** The decoded fields of a form; of a name that is there several times, all values. */
const fields = (body) => {
  const all = {};
  for (const [name, value] of new URLSearchParams(body.toString())) {
    all[name] = name in all ? [all[name], value].flat() : value;
  }
  return all;
};

const pairs = (secret, at, body, name = 'v1') =>
  `t=${seconds(at)},${name}=${hmac(secret, `${seconds(at)}.${body}`, 'hex')}`;

export const providers = [
  {
    name: 'stripe', provider: 'stripe', package: 'stripe', secret: `whsec_${secretFor('stripe')}`,
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => new (await import('stripe')).default('unused'),
    body: ({ n, at }) => loose({ id: `evt_${n}`, object: 'event', type: 'invoice.paid', created: +seconds(at) }),
    sign: (lib, secret, { body, at }) => ({
      'Stripe-Signature': lib.webhooks.generateTestHeaderString({ payload: body.toString(), secret, timestamp: +seconds(at) }),
    }),
    verify: (lib, secret, { body, headers }) => lib.webhooks.constructEvent(body, headers['stripe-signature'], secret),
  },
  {
    name: 'github', provider: 'github', package: '@octokit/webhooks-methods', secret: secretFor('github'),
    retries: 'none',
    load: () => import('@octokit/webhooks-methods'),
    body: ({ n }) => loose({ ref: 'refs/heads/main', after: createHash('sha1').update(String(n)).digest('hex') }),
    sign: async (lib, secret, { body, n }) => ({
      'X-GitHub-Event': 'push',
      'X-GitHub-Delivery': `delivery-${n}`,
      'X-Hub-Signature-256': await lib.sign(secret, body.toString()),
    }),
    verify: (lib, secret, { body, headers }) => lib.verify(secret, body.toString(), headers['x-hub-signature-256']),
  },
  {
    name: 'standard-webhooks', provider: 'standard-webhooks', package: 'standardwebhooks', secret: whsec('standard'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: () => import('standardwebhooks'),
    body: ({ n }) => loose({ type: 'contact.created', data: { n } }),
    sign: (lib, secret, delivery) => webhookHeaders('webhook', lib, secret, delivery),
    verify: (lib, secret, { body, headers }) => new lib.Webhook(secret).verify(body.toString(), headers),
  },
  {
    name: 'svix', provider: 'svix', package: 'svix', secret: whsec('svix'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: () => import('svix'),
    body: ({ n }) => loose({ type: 'contact.created', data: { n } }),
    sign: (lib, secret, delivery) => webhookHeaders('svix', lib, secret, delivery),
    verify: (lib, secret, { body, headers }) => new lib.Webhook(secret).verify(body.toString(), headers),
  },
  {
    name: 'slack', provider: 'slack', package: '@slack/bolt', secret: secretFor('slack'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => (await import('@slack/bolt')).default,
    body: ({ n }) => loose({ type: 'event_callback', event_id: `Ev${n}`, event: { type: 'app_mention' } }),
    sign: (_, secret, { body, at }) => slack(secret, at, body),
    verify: verifySlack,
  },
  {
    // Slash commands are forms, signed as they are. They bring no event id.
    name: 'slack-command', provider: 'slack', package: '@slack/bolt', secret: secretFor('slack command'),
    retries: 'fresh', signedTime: true, contentType: 'application/x-www-form-urlencoded', sample: false,
    load: async () => (await import('@slack/bolt')).default,
    body: ({ n }) => `command=%2Fdeploy&text=na%c3%afve+${n}&marker=unchanged&trigger_id=${n}.1`,
    sign: (_, secret, { body, at }) => slack(secret, at, body),
    verify: verifySlack,
  },
  {
    name: 'shopify', provider: 'shopify', package: '@shopify/shopify-api', secret: secretFor('shopify'),
    retries: 'identical',
    load: async () => {
      await import('@shopify/shopify-api/adapters/node');
      return import('@shopify/shopify-api');
    },
    body: ({ n }) => loose({ id: n, currency: 'EUR' }),
    sign: (_, secret, { body, n }) => ({
      'X-Shopify-Topic': 'orders/create',
      'X-Shopify-Shop-Domain': 'example.myshopify.com',
      'X-Shopify-API-Version': '2025-07',
      'X-Shopify-Webhook-Id': `webhook-${n}`,
      'X-Shopify-Hmac-Sha256': hmac(secret, body, 'base64'),
    }),
    verify: async (lib, secret, { body, headers, method, url }) => {
      const shopify = lib.shopifyApi({
        apiKey: 'unused', apiSecretKey: secret, hostName: 'example.com', isEmbeddedApp: false,
        apiVersion: lib.LATEST_API_VERSION ?? lib.ApiVersion.July25, logger: { level: lib.LogSeverity.Error },
      });
      const answer = await shopify.webhooks.validate({
        rawBody: body.toString(), rawRequest: { method, url, headers }, rawResponse: {},
      });
      return answer.valid;
    },
  },
  {
    name: 'paddle', provider: 'paddle', package: '@paddle/paddle-node-sdk', secret: `pdl_ntfset_${secretFor('paddle')}`,
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => {
      const { Paddle } = await import('@paddle/paddle-node-sdk');
      return new Paddle('unused');
    },
    body: ({ n }) => loose({ event_id: `evt_${n}`, event_type: 'transaction.completed', data: { n } }),
    sign: (_, secret, { body, at }) => ({
      'Paddle-Signature': `ts=${seconds(at)};h1=${hmac(secret, `${seconds(at)}:${body}`, 'hex')}`,
    }),
    verify: (lib, secret, { body, headers }) =>
      lib.webhooks.isSignatureValid(body.toString(), secret, headers['paddle-signature']),
  },
  {
    name: 'razorpay', provider: 'razorpay', package: 'razorpay', secret: secretFor('razorpay'),
    retries: 'identical',
    load: async () => (await import('razorpay')).default,
    body: ({ n }) => loose({ entity: 'event', event: 'payment.captured', payload: { n } }),
    sign: (_, secret, { body }) => ({ 'X-Razorpay-Signature': hmac(secret, body, 'hex') }),
    verify: (lib, secret, { body, headers }) =>
      lib.validateWebhookSignature(body.toString(), headers['x-razorpay-signature'], secret),
  },
  {
    name: 'line', provider: 'line', package: '@line/bot-sdk', secret: secretFor('line'),
    retries: 'identical', eventId: true,
    load: () => import('@line/bot-sdk'),
    body: ({ n, at, attempt }) =>
      loose({
        destination: 'U0',
        events: [{ type: 'follow', timestamp: at, webhookEventId: `01EVENT${n}`, deliveryContext: { isRedelivery: attempt > 1 } }],
      }),
    sign: (_, secret, { body }) => ({ 'x-line-signature': hmac(secret, body, 'base64') }),
    verify: (lib, secret, { body, headers }) => lib.validateSignature(body, secret, headers['x-line-signature']),
  },
  {
    name: 'linear', provider: 'linear', package: '@linear/sdk', secret: `lin_wh_${secretFor('linear')}`,
    retries: 'fresh', signedTime: true,
    load: () => import('@linear/sdk/webhooks'),
    body: ({ n, at }) => loose({ action: 'create', type: 'Issue', data: { n }, webhookTimestamp: at }),
    sign: (_, secret, { body, at, n }) => ({
      'Linear-Event': 'Issue',
      'Linear-Delivery': `delivery-${n}`,
      'Linear-Timestamp': String(at),
      'Linear-Signature': hmac(secret, body, 'hex'),
    }),
    verify: (lib, secret, { body, headers }) => new lib.LinearWebhookClient(secret).verify(body, headers['linear-signature']),
  },
  {
    name: 'notion', provider: 'notion', package: '@notionhq/client', secret: `secret_${secretFor('notion')}`,
    retries: 'identical', eventId: true,
    load: async () => (await import('@notionhq/client')),
    body: ({ n, attempt }) => loose({ id: `event-${n}`, type: 'page.created', attempt_number: attempt }),
    sign: async (lib, secret, { body }) => ({
      'X-Notion-Signature': await lib.signWebhookPayload({ body, verificationToken: secret }),
    }),
    verify: (lib, secret, { body, headers }) =>
      lib.verifyWebhookSignature({ body, signature: headers['x-notion-signature'], verificationToken: secret }),
  },
  {
    // This package serialises the parsed body again before it verifies: only compact JSON holds.
    name: 'workos', provider: 'workos', package: '@workos-inc/node', secret: secretFor('workos'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => new (await import('@workos-inc/node')).WorkOS('sk_unused'),
    body: ({ n }) => compact({ id: `event_${n}`, event: 'dsync.user.created', data: { n } }),
    sign: async (lib, secret, { body, at }) => ({
      'WorkOS-Signature': `t=${at}, v1=${await lib.webhooks.computeSignature(at, JSON.parse(body), secret)}`,
    }),
    verify: (lib, secret, { body, headers }) =>
      lib.webhooks.verifyHeader({ payload: JSON.parse(body), sigHeader: headers['workos-signature'], secret }),
  },
  {
    name: 'mux', provider: 'mux', package: '@mux/mux-node', secret: secretFor('mux'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => new (await import('@mux/mux-node')).default({ tokenId: 'unused', tokenSecret: 'unused' }),
    body: ({ n }) => loose({ type: 'video.asset.ready', id: `event-${n}`, data: { status: 'ready' } }),
    sign: (_, secret, { body, at }) => ({ 'Mux-Signature': pairs(secret, at, body) }),
    verify: async (lib, secret, { body, headers }) => {
      await lib.webhooks.verifySignature(body.toString(), headers, secret);
      return true;
    },
  },
  {
    name: 'pusher', provider: 'pusher', package: 'pusher', secret: secretFor('pusher'),
    // The definition compares the key's name with the app key, if the secret has it as its id.
    keyId: 'app-key', keyHeader: 'X-Pusher-Key',
    retries: 'identical',
    load: async () => (await import('pusher')).default,
    body: ({ n, at }) => loose({ time_ms: at, events: [{ name: 'channel_occupied', channel: `sample-${n}` }] }),
    sign: (lib, secret, { body }) => ({
      'X-Pusher-Key': 'app-key',
      'X-Pusher-Signature': new lib.Token('app-key', secret).sign(body.toString()),
    }),
    verify: (lib, secret, { body, headers }) =>
      new lib({ appId: '1', key: 'app-key', secret, cluster: 'unused' }).webhook({ headers, rawBody: body.toString() }).isValid(),
  },
  {
    name: 'gocardless', provider: 'gocardless', package: 'gocardless-nodejs', secret: secretFor('gocardless'),
    retries: 'identical', eventId: true,
    load: async () => import('gocardless-nodejs'),
    body: ({ n, attempt }) => loose({ events: [{ id: `EV${n}`, action: 'confirmed' }], meta: { webhook_id: `WB${n}-${attempt}` } }),
    sign: (_, secret, { body }) => ({ 'Webhook-Signature': hmac(secret, body, 'hex') }),
    verify: (lib, secret, { body, headers }) => lib.parse(body, secret, headers['webhook-signature']),
  },
  {
    // It verifies only; another of the family signs.
    name: 'resend', provider: 'resend', package: 'resend', secret: whsec('resend'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => ({ ...(await import('svix')), resend: new (await import('resend')).Resend('re_unused') }),
    body: ({ n }) => loose({ type: 'email.delivered', data: { email_id: n } }),
    sign: (lib, secret, delivery) => webhookHeaders('svix', lib, secret, delivery),
    verify: (lib, secret, { body, headers }) =>
      lib.resend.webhooks.verify({
        payload: body.toString(),
        headers: { id: headers['svix-id'], timestamp: headers['svix-timestamp'], signature: headers['svix-signature'] },
        webhookSecret: secret,
      }),
  },
  {
    name: 'openai', provider: 'openai', package: 'openai', secret: whsec('openai'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => ({ ...(await import('standardwebhooks')), openai: new (await import('openai')).default({ apiKey: 'unused' }) }),
    body: ({ n }) => loose({ id: `evt_${n}`, object: 'event', type: 'response.completed' }),
    sign: (lib, secret, delivery) => webhookHeaders('webhook', lib, secret, delivery),
    verify: (lib, secret, { body, headers }) => lib.openai.webhooks.unwrap(body.toString(), headers, secret),
  },
  {
    name: 'replicate', provider: 'replicate', package: 'replicate', secret: whsec('replicate'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => ({ ...(await import('standardwebhooks')), replicate: (await import('replicate')).default }),
    body: ({ n }) => loose({ id: `prediction-${n}`, status: 'succeeded' }),
    sign: (lib, secret, delivery) => webhookHeaders('webhook', lib, secret, delivery),
    verify: (lib, secret, { body, headers }) => lib.replicate.validateWebhook({ headers, body: body.toString() }, secret),
  },
  {
    // Its package looks at no clock; the gateway does.
    name: 'sanity', provider: 'sanity', package: '@sanity/webhook', secret: secretFor('sanity'),
    retries: 'fresh', signedTime: true,
    load: () => import('@sanity/webhook'),
    body: ({ n }) => loose({ _id: `document-${n}`, _type: 'article' }),
    sign: async (lib, secret, { body, at }) => ({
      'sanity-operation': 'update',
      [lib.SIGNATURE_HEADER_NAME]: await lib.encodeSignatureHeader(body.toString(), at, secret),
    }),
    verify: (lib, secret, { body, headers }) => lib.isValidRequest({ headers, body }, secret),
  },
  {
    name: 'discord', provider: 'discord', package: 'discord-interactions', secret: discord.secret, publicKey: discord.raw.toString('hex'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: () => import('discord-interactions'),
    body: ({ n }) => loose({ id: String(n), application_id: '1', type: 2, data: { name: 'sample' } }),
    sign: (_, secret, { body, at }) => ({
      'X-Signature-Ed25519': signatureOf(secret, Buffer.concat([Buffer.from(seconds(at)), body])).toString('hex'),
      'X-Signature-Timestamp': seconds(at),
    }),
    verify: (lib, _, { body, headers }) =>
      lib.verifyKey(body, headers['x-signature-ed25519'], headers['x-signature-timestamp'], discord.raw.toString('hex')),
  },
  {
    name: 'telnyx', provider: 'telnyx', package: 'telnyx', secret: telnyx.secret, publicKey: telnyx.raw.toString('base64'),
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => new (await import('telnyx')).default({ apiKey: 'unused', publicKey: telnyx.raw.toString('base64') }),
    body: ({ n }) => loose({ data: { id: `event-${n}`, event_type: 'message.received', record_type: 'event' } }),
    sign: (_, secret, { body, at }) => ({
      'telnyx-signature-ed25519': signatureOf(secret, Buffer.concat([Buffer.from(`${seconds(at)}|`), body])).toString('base64'),
      'telnyx-timestamp': seconds(at),
    }),
    verify: (lib, _, { body, headers }) => lib.webhooks.unwrap(body.toString(), { headers }),
  },
  {
    name: 'sendgrid', provider: 'sendgrid', package: '@sendgrid/eventwebhook', secret: sendgrid.secret, publicKey: sendgrid.spki,
    retries: 'fresh', signedTime: true, eventId: true,
    load: async () => new (await import('@sendgrid/eventwebhook')).default.EventWebhook(),
    body: ({ n }) => `[${loose({ sg_event_id: `event-${n}`, event: 'processed' }).trimEnd()}]\r\n`,
    sign: (_, secret, { body, at }) => ({
      'X-Twilio-Email-Event-Webhook-Signature': signatureOf(secret, Buffer.concat([Buffer.from(seconds(at)), body])).toString('base64'),
      'X-Twilio-Email-Event-Webhook-Timestamp': seconds(at),
    }),
    verify: (lib, _, { body, headers }) =>
      lib.verifySignature(
        lib.convertPublicKeyToECDSA(sendgrid.spki),
        body,
        headers['x-twilio-email-event-webhook-signature'],
        headers['x-twilio-email-event-webhook-timestamp'],
      ),
  },
  {
    // The form is signed with the URL, and may come with the port in it or without.
    name: 'twilio', provider: 'twilio', package: 'twilio', secret: secretFor('twilio'),
    retries: 'identical', contentType: 'application/x-www-form-urlencoded; charset=UTF-8', url: true,
    load: async () => (await import('twilio')).default,
    body: ({ n }) => `To=%2b18005551212&MessageSid=SM${n}&Tag=b&Tag=a&Tag=a&Body=na%C3%AFve+%26+${n}&marker=unchanged&Empty=`,
    sign: (lib, secret, { body, url }) => ({
      'X-Twilio-Signature': lib.getExpectedTwilioSignature(secret, url, fields(body)),
    }),
    verify: (lib, secret, { body, headers, url }) =>
      lib.validateRequest(secret, headers['x-twilio-signature'], url, fields(body)),
  },
  {
    // It verifies only.
    name: 'plivo', provider: 'plivo', package: 'plivo', secret: secretFor('plivo'),
    retries: 'fresh', contentType: 'application/x-www-form-urlencoded', url: true,
    load: async () => (await import('plivo')).default,
    body: ({ n }) => `To=%2b14153334444&CallUUID=call-${n}&From=14151112222&marker=unchanged`,
    sign: (_, secret, { body, url, n }) => {
      const nonce = String(10_000_000 + n);
      const sorted = Object.entries(fields(body)).sort(([a], [b]) => (a < b ? -1 : 1)).flat().join('');
      return {
        'X-Plivo-Signature-V3-Nonce': nonce,
        'X-Plivo-Signature-V3': `AAAA,${hmac(secret, `${url}?${sorted}.${nonce}`, 'base64')}`,
      };
    },
    verify: (lib, secret, { body, headers, url }) =>
      lib.validateV3Signature(
        'POST', url, headers['x-plivo-signature-v3-nonce'], secret, headers['x-plivo-signature-v3'], fields(body),
      ),
  },
  {
    // The signature is in the form. The package signs too, but at its own time; what it makes has the same
    // shape. The mark is the beginning of the document in base64.
    name: 'braintree', provider: 'braintree', package: 'braintree', secret: secretFor('braintree'),
    keyId: 'public-key', marker: 'PG5vdGlm',
    retries: 'identical', contentType: 'application/x-www-form-urlencoded',
    load: async () => (await import('braintree')).default,
    body: ({ n, at }) => braintree(secretFor('braintree'), n, at),
    sign: () => ({}),
    verify: async (lib, secret, { body }) => {
      const { bt_signature: signature, bt_payload: payload } = fields(body);
      const gateway = new lib.BraintreeGateway({
        environment: lib.Environment.Sandbox, merchantId: 'unused', publicKey: signature.split('|')[0], privateKey: secret,
      });
      return (await gateway.webhookNotification.parse(signature, payload)).kind === 'subscription_went_past_due';
    },
  },
  {
    // Two hours old is recent enough for this provider.
    name: 'cloudinary', provider: 'cloudinary', package: 'cloudinary', secret: secretFor('cloudinary'),
    retries: 'identical',
    load: async () => (await import('cloudinary')).v2,
    body: ({ n }) => loose({ notification_type: 'upload', asset_id: `asset-${n}` }),
    sign: (lib, secret, { body, at }) => ({
      'X-Cld-Timestamp': seconds(at),
      'X-Cld-Signature': lib.utils.webhook_signature(body.toString(), seconds(at), { api_secret: secret }),
    }),
    verify: (lib, secret, { body, headers }) => {
      lib.config({ api_secret: secret });
      return lib.utils.verifyNotificationSignature(
        body.toString(), Number(headers['x-cld-timestamp']), headers['x-cld-signature'],
      );
    },
  },
  {
    name: 'contentful', provider: 'contentful', package: '@contentful/node-apps-toolkit', secret: secretFor('contentful'),
    retries: 'fresh', signedTime: true,
    load: () => import('@contentful/node-apps-toolkit'),
    body: ({ n }) => loose({ sys: { type: 'Entry', id: `entry-${n}` } }),
    sign: (lib, secret, { body, at, url }) => {
      const headers = { 'X-Contentful-Topic': 'ContentManagement.Entry.publish', 'X-Extra': 'a; b:c' };
      const made = lib.signRequest(secret, { method: 'POST', path: new URL(url).pathname, headers, body: body.toString() }, at);
      return { ...headers, ...made };
    },
    verify: (lib, secret, { method, url, headers, body }) =>
      lib.verifyRequest(secret, { method, path: new URL(url).pathname, headers, body: body.toString() }, 30),
  },
];

function slack(secret, at, body) {
  return {
    'X-Slack-Request-Timestamp': seconds(at),
    'X-Slack-Signature': `v0=${hmac(secret, `v0:${seconds(at)}:${body}`, 'hex')}`,
  };
}

function verifySlack(lib, secret, { body, headers }) {
  return lib.isValidSlackRequest({
    signingSecret: secret,
    body: body.toString(),
    headers: {
      'x-slack-signature': headers['x-slack-signature'],
      'x-slack-request-timestamp': Number(headers['x-slack-request-timestamp']),
    },
  });
}

function braintree(secret, n, at) {
  const time = new Date(at).toISOString().replace(/\.\d+/, '');
  const arrays = ['transactions', 'add_ons', 'discounts'].map((name) => `<${name} type="array"></${name}>`).join('');
  const xml =
    `<notification>\n  <timestamp type="datetime">${time}</timestamp>\n  <kind>subscription_went_past_due</kind>\n` +
    `  <subject><subscription><id>subscription-${n}</id>${arrays}</subscription></subject>\n</notification>\n`;
  const payload = Buffer.from(xml).toString('base64');
  const key = createHash('sha1').update(secret).digest();
  const signature = createHmac('sha1', key).update(payload).digest('hex');
  return `bt_signature=${encodeURIComponent(`public-key|${signature}`)}&bt_payload=${encodeURIComponent(payload)}`;
}
