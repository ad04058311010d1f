export { chainEntry, type ChainedEntry, type ChainHead, emptyChain, type EntryDraft } from './chain-entry.js';
export { type Checkpoint, CheckpointMalformed, formatCheckpoint, parseCheckpoint } from './checkpoint.js';
export { commit, minSaltBytes } from './commitment.js';
export {
  appendLeaf,
  type CompactRange,
  decodeRange,
  emptyRange,
  encodeRange,
  rootOf,
  rootOfLeaves,
} from './compact-range.js';
export { canonicalJson, encodeEntry, EntryRefused, type EntryRefusal, parseEntry } from './encode-entry.js';
export {
  type Entry,
  type EntryDecision,
  entryDecisions,
  type EntryVia,
  entryVias,
  type EntrySource,
  entrySources,
  entryTypeFamilies,
  isEntryType,
  maxEntryBytes,
  type PrivateField,
  privateFields,
  zeroHash,
} from './entry.js';
export { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './merkle-proof.js';
export {
  namesSigner,
  type NoteFault,
  NoteRefused,
  type NoteSigner,
  noteSigner,
  type NoteVerifier,
  openNote,
  parseVerifierKey,
  signWithAll,
  verifierKeyOf,
  verifyNote,
} from './signed-note.js';
export { emptyRoot, hashBytes, leafHash, nodeHash } from './tree-hash.js';
export {
  type Disclosed,
  type Fault,
  type FaultCode,
  faultCodes,
  type Sound,
  type Verdict,
} from './verdict.js';
export {
  createVerifier,
  type LogVerifier,
  type TrustedCheckpoints,
  type VerifierOptions,
  verifyLedger,
} from './verifier.js';
