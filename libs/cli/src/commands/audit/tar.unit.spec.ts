import { sampleFiles, tarOf } from '../../../test/sample-archive.js';
import { ArchiveDamaged, readTar, tarFile } from './tar.js';

async function* inPieces(bytes: Buffer, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
  await Promise.resolve();
}
const read = async (bytes: Buffer, length = 700) => {
  const files = [];
  for await (const file of readTar(inPieces(bytes, length))) files.push(file);
  return files;
};

it.each([1, 511, 512, 100_000])('reads what it wrote, in pieces of %d bytes', async (length) => {
  const files = sampleFiles();
  expect(await read(tarOf(files), length)).toEqual(files);
});

it.each([
  ['ends in the middle of a file', (bytes: Buffer) => bytes.subarray(0, 700)],
  ['ends before its end', (bytes: Buffer) => bytes.subarray(0, -1024)],
  ['has a changed header', (bytes: Buffer) => Buffer.concat([Buffer.from('x'), bytes.subarray(1)])],
  ['goes on behind its end', (bytes: Buffer) => Buffer.concat([bytes, tarOf(sampleFiles())])],
  ['is no archive', () => Buffer.from('x'.repeat(2_000))],
])('an archive that %s is damaged', async (_, change) => {
  await expect(read(change(tarOf(sampleFiles())))).rejects.toThrow(ArchiveDamaged);
});

it.each([
  ['a link', (header: Buffer) => header.write('2', 156)],
  ['a file of 200 GB', (header: Buffer) => header.write('3'.repeat(11), 124)],
])('%s in an archive is refused', async (_, change) => {
  const bytes = tarFile('key.txt', Buffer.from('x'));
  change(bytes);
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((all, byte) => all + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  await expect(read(bytes)).rejects.toThrow(ArchiveDamaged);
});
