import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { copyFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type GrantClaims, grantSigner } from './grant-signer.js';
import { signingKeys } from './signing-key.js';

const name = 'approval-service-grants';
const claims: GrantClaims = {
  ...{ iss: 'agentlattice', sub: 'agt_1', org_id: 'org_1', approval_id: 'apr_1', event_id: 'evt_1' },
  ...{ action_type: 'x.y', action_digest: 'd', iat: 1, exp: 4_000_000_000, jti: 'apr_1' },
};

describe('the rotation of a key for grants', () => {
  let folder: string;
  const put = (file: string, key: KeyObject) => {
    const pem =
      key.type === 'private'
        ? key.export({ type: 'pkcs8', format: 'pem' })
        : key.export({ type: 'spki', format: 'pem' });
    return writeFile(join(folder, file), pem, { mode: 0o600 });
  };
  const started = async () => grantSigner(await signingKeys({ path: folder, isGiven: true }, name));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'al-rotation-'));
    await put(`${name}.pem`, generateKeyPairSync('ed25519').privateKey);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('publishes the new key first, signs with it later, and accepts the old one all the time', async () => {
    const before = await started();
    await put(`${name}.next.pem`, generateKeyPairSync('ed25519').privateKey);
    const announced = await started();
    await rename(join(folder, `${name}.pem`), join(folder, `${name}.previous.pem`));
    await rename(join(folder, `${name}.next.pem`), join(folder, `${name}.pem`));
    const rotated = await started();
    const kids = (signer: typeof before) => signer.jwks.map(({ kid }) => kid);
    const [oldKid = ''] = kids(before);
    const [, newKid = ''] = kids(announced);
    expect([kids(before), kids(announced), kids(rotated)]).toEqual([
      [oldKid],
      [oldKid, newKid],
      [newKid, oldKid],
    ]);
    const tokens = [before, announced, rotated].map((signer) => signer.sign(claims));
    expect(tokens[1]).toBe(tokens[0]);
    expect(tokens[2]).not.toBe(tokens[0]);
    // Replicas of both steps run at the same time, and a client may have the keys of either.
    for (const signer of [announced, rotated])
      for (const token of tokens) {
        expect(signer.verify(token)).toEqual(claims);
        const keys = createLocalJWKSet({ keys: [...signer.jwks] } as unknown as JSONWebKeySet);
        expect((await jwtVerify(token, keys)).payload).toEqual(claims);
      }
    // An instance that was not told of the new key accepts nothing that it signed.
    expect(before.verify(tokens[2] ?? '')).toBeNull();
  });

  it('keeps the public half of an old key, and forgets a key whose file is gone', async () => {
    const old = generateKeyPairSync('ed25519').privateKey;
    const token = grantSigner({ signing: old, previous: null, further: [] }).sign(claims);
    await put(`${name}.2026.pem`, createPublicKey(old));
    expect((await started()).verify(token)).toEqual(claims);
    await rm(join(folder, `${name}.2026.pem`));
    expect((await started()).verify(token)).toBeNull();
  });

  it('publishes the key that signs first, and once, where its file stands there twice', async () => {
    const [kid] = (await started()).jwks.map((key) => key.kid);
    await put(`${name}.next.pem`, generateKeyPairSync('ed25519').privateKey);
    await copyFile(join(folder, `${name}.pem`), join(folder, `${name}.previous.pem`));
    const kids = (await started()).jwks.map((key) => key.kid);
    expect([kids[0], kids.length, new Set(kids).size]).toEqual([kid, 2, 2]);
  });

  it('refuses another kind of key', async () => {
    await put(`${name}.next.pem`, generateKeyPairSync('x25519').privateKey);
    await expect(started()).rejects.toThrow('is not an Ed25519 key');
  });
});
