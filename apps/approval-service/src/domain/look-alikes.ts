/** Letters that are drawn like a Latin one, each followed by it: the common ones of the confusables of UTS #39. */
const drawnLike: ReadonlyMap<string, string> = new Map(
  [
    // Cyrillic
    '\u0430a \u0435e \u043eo \u0440p \u0441c \u0443y \u0445x \u0455s \u0456i \u0458j \u051bq \u051dw \u04bbh \u0501d \u04cfl \u043ak \u043cm \u0442t \u0432b \u043dh \u0433r \u043fn \u0475v \u050dg',
    // Greek
    '\u03b1a \u03b2b \u03b5e \u03b3y \u03b7n \u03b9i \u03bak \u03bcu \u03bdv \u03bfo \u03c1p \u03c3o \u03c4t \u03c5u \u03c7x \u03c9w',
    // Armenian
    '\u0585o \u057du \u0570h \u0578n \u0575j \u0581g',
    // Latin, digits and signs
    '\u0251a \u0261g \u0131i \u0269i \u029fl \u01bds 0o 1l |l il',
  ].flatMap((pairs) => pairs.split(' ').map((pair): [string, string] => [pair.charAt(0), pair.charAt(1)])),
);

const unseen = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{M}]/gu;

/** The same for texts that look alike, such as `paypal` with a Cyrillic `a`. Only for comparison with other skeletons. */
export function skeletonOf(text: string): string {
  const plain = text.normalize('NFKD').replace(unseen, '').toLowerCase();
  const drawn = Array.from(plain, (letter) => drawnLike.get(letter) ?? letter).join('');
  // The letters that stand for others may be drawn like a third one: a Cyrillic i like l.
  return drawn.replaceAll('i', 'l').replaceAll('rn', 'm');
}

const word = /[\p{L}\p{M}\p{N}]+/gu;
/** The scripts whose letters share shapes. Others, such as Han, are often written beside Latin and look like none of these. */
const sharingShapes: readonly RegExp[] = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
];

/** Whether a word of the text has letters of two scripts that share shapes: people write a word in one of them. */
export const mixesScripts = (text: string): boolean =>
  (text.match(word) ?? []).some(
    (letters) => sharingShapes.filter((script) => script.test(letters)).length > 1,
  );
