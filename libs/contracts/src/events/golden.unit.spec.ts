import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventRegistry, eventTypes, readEvent } from './registry.js';
import { wireEvent } from './wire-event.js';

const golden = join(import.meta.dirname, '..', '..', 'golden');
const read = (...path: string[]) => readFileSync(join(golden, ...path), 'utf8');
const filesOf = (...path: string[]) =>
  readdirSync(join(golden, ...path)).filter((name) => name.endsWith('.json'));

describe.each(readdirSync(join(golden, 'released')))('events as released in %s', (release) => {
  it.each(filesOf('released', release))('%s is still read, to the last member', (file) => {
    const event: unknown = JSON.parse(read('released', release, file));
    expect(readEvent(wireEvent.parse(event))).toEqual(event);
  });

  it('have not been touched since', () => {
    const sums = read('released', release, 'SHA256SUMS').trimEnd().split('\n');
    const found = filesOf('released', release).map(
      (file) =>
        `${createHash('sha256')
          .update(read('released', release, file))
          .digest('hex')}  ${file}`,
    );
    expect(found.sort()).toEqual(sums.sort());
  });
});

it('every version of every event has a golden file', () => {
  const files = readdirSync(join(golden, 'released')).flatMap((release) => filesOf('released', release));
  const wanted = eventTypes.flatMap((type) =>
    Object.keys(eventRegistry[type].versions).map((version) => `${type}.v${version}.json`),
  );
  expect([...new Set(files)].sort()).toEqual(wanted.sort());
});

it.each(filesOf('negative'))('%s is refused loudly', (file) =>
  expect(() => readEvent(wireEvent.parse(JSON.parse(read('negative', file))))).toThrow('UNSUPPORTED_VERSION'),
);
