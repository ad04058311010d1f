/** Events of one message of the stream are at most so many (`wireEventMessage`: 128). */
const perMessage = 1_024;

/** A place in the stream of events, after which a listener goes on: `<stream incarnation>.<sequence>` (decisions §6). */
export interface EventCursor {
  readonly incarnation: string;
  /** Sequence of the message × 1,024 + index of the event in it. */
  readonly sequence: number;
}

export const cursorOf = (incarnation: string, message: number, index: number): EventCursor => ({
  incarnation,
  sequence: message * perMessage + index,
});

/** After all events of a message. */
export const cursorAfter = (incarnation: string, message: number): EventCursor =>
  cursorOf(incarnation, message, perMessage - 1);

/** The message that a cursor points into. */
export const messageOf = ({ sequence }: EventCursor): number => Math.floor(sequence / perMessage);

export const cursorText = ({ incarnation, sequence }: EventCursor): string =>
  `${incarnation}.${String(sequence)}`;

/** Null for a text that is not such a cursor. */
export function parseCursor(text: string): EventCursor | null {
  const [, incarnation, digits] = /^([a-z0-9]{1,16})\.(\d{1,16})$/.exec(text) ?? [];
  const sequence = Number(digits);
  return incarnation === undefined || !Number.isSafeInteger(sequence) ? null : { incarnation, sequence };
}
