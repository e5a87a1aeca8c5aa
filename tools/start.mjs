// npm start: sets up what is missing, builds engine and page, serves the page and prints its address.
//   npm start -- --port 8080     this port and no other (also: PORT=8080 npm start)
//   npm start -- --host 0.0.0.0  for other devices in the same network
//   npm start -- --live          the sources with hot reload instead of the built site

import process from 'node:process';
import util from 'node:util';
import { buildPage, servePage } from './page.mjs';
import { setup } from './setup.mjs';
import { main, Obstacle } from './shell.mjs';
import { buildWasm } from './wasm.mjs';

const FIRST_PORT = 4173;

await main(async () => {
  const { host, port, live } = options();
  await setup();
  await buildWasm();
  if (!live) await buildPage();
  const server = await servePage({ host, port, first: FIRST_PORT, live });
  const taken = port === null && server.port !== FIRST_PORT ? ` (port ${FIRST_PORT} is taken)` : '';
  console.log(`\nhitofude is at ${server.url}${taken}\nCtrl+C ends it.`);
});

function options() {
  let values;
  try {
    ({ values } = util.parseArgs({ options: { port: { type: 'string' }, host: { type: 'string' }, live: { type: 'boolean' } } }));
  } catch (error) {
    throw new Obstacle(error.message);
  }
  const asked = values.port ?? (process.env.PORT || null);
  const port = asked === null ? null : Number(asked);
  if (port !== null && !(Number.isInteger(port) && port > 0 && port < 65536)) {
    throw new Obstacle(`port ${asked} is not a number from 1 to 65535.`);
  }
  return { host: values.host, port, live: values.live };
}
