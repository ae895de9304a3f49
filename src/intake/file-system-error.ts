/** `ENOENT` and its kin; undefined for what the file system did not say. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A sentence for an operator: what is wrong, and where to look. */
export function explain(code: string | undefined): string {
  if (code === undefined) return 'an error that nobody foresaw, which the log has in full';
  return EXPLANATIONS[code] ?? `the file system says ${code}`;
}

/** Whether it is the disk or this process, rather than the file or its rights: that may pass, and concerns all files. */
export function isOfSurroundings(code: string | undefined): boolean {
  return code === undefined || SURROUNDINGS.has(code);
}

const SURROUNDINGS = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EIO', 'ESTALE']);

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there',
  ENOTDIR: 'it is not a directory',
  EACCES: 'this program may not do that; look at the owner and the rights',
  EPERM: 'this program may not do that; look at the owner, the rights and a sticky bit',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file would be larger than the file system or the limit of the process allows',
  EMFILE: 'this program has too many open files; raise its limit (ulimit -n)',
  ENFILE: 'the system has too many open files',
  EIO: 'the disk reports an error',
  ESTALE: 'the network mount has lost it',
};
