import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EventDefinition, EventDefinitions } from './event-versions.js';
import { eventRegistry, eventTypes, readEvent } from './registry.js';
import { type WireEvent, wireEvent } from './wire-event.js';

const golden = join(import.meta.dirname, '..', '..', 'golden');
const read = (...path: string[]) => readFileSync(join(golden, ...path), 'utf8');
const filesOf = (...path: string[]) =>
  readdirSync(join(golden, ...path)).filter((name) => name.endsWith('.json'));

/** What reading makes of events of an older version; all others are read as they were released. */
const upcasts: Readonly<Record<string, (event: WireEvent) => WireEvent>> = {
  'approval.cancelled.v1.json': (event) => ({
    ...event,
    schema_version: 2,
    data: { ...event.data, suspension: event.data['suspension'] ?? null },
  }),
  'access.refused.v1.json': (event) => ({
    ...event,
    schema_version: 2,
    data: { ...event.data, session_id: null },
  }),
};

describe.each(readdirSync(join(golden, 'released')))('events as released in %s', (release) => {
  it.each(filesOf('released', release))('%s is still read, to the last member', (file) => {
    const event = wireEvent.parse(JSON.parse(read('released', release, file)));
    const definition: EventDefinition | undefined = (eventRegistry as EventDefinitions)[event.type];
    expect(definition?.versions[event.schema_version]?.parse(event.data)).toEqual(event.data);
    expect(readEvent(event)).toEqual(upcasts[file]?.(event) ?? event);
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

it('every version of every event but the newest has a way to the next', () => {
  const definitions: EventDefinitions = eventRegistry;
  for (const { versions, upcasts = {} } of Object.values(definitions)) {
    const count = Object.keys(versions).length;
    expect(Object.keys(versions).map(Number)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(Object.keys(upcasts)).toEqual(Object.keys(versions).slice(0, -1));
  }
});
