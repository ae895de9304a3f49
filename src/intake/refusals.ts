import type { QuarantineCase } from './quarantine.js';

/** What is told of a file that cannot be taken. */
export type Refusal = Omit<QuarantineCase, 'feed'>;

export const BAD_NAME: Refusal = {
  reason: 'bad-name',
  detail:
    'Its name up to the first dot must consist of letters, digits, _ and -, without control characters behind it.',
};

export const LINK: Refusal = {
  reason: 'link',
  detail: 'It is a symbolic link, which is not followed. Send the file itself.',
};

export const SPECIAL_FILE: Refusal = {
  reason: 'special-file',
  detail: 'It is a FIFO, a socket or a device. Send a regular file.',
};

/** Found when it was judged whether the file is complete. */
export const SUSPECT: Readonly<Record<'hard-link' | 'digest-differs', Refusal>> = {
  'hard-link': {
    reason: 'hard-link',
    detail: 'It has further names elsewhere (hard links), under which it can be changed. Send a copy.',
  },
  'digest-differs': {
    reason: 'digest-differs',
    detail: 'Its digest differs from the sidecar (.sha256), or the sidecar has no digest. Send both again.',
  },
};

export function tooLarge(maxBytes: number): Refusal {
  return {
    reason: 'too-large',
    detail: `It is larger than ${maxBytes} bytes. Send less, or raise limits.fileBytes.`,
  };
}

export function unknownName(expectedNames: readonly string[]): Refusal {
  const names = expectedNames.length === 0 ? 'none' : expectedNames.join(', ');
  return {
    reason: 'unknown-name',
    detail: `The control file lists no file of this name. It lists: ${names}.`,
    expectedNames,
  };
}
