/**
 * What operators are told of an exception of a plugin: its kind and its place, good for finding the line. Not its message,
 * which may quote records.
 */
export function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return `it threw ${typeof error}`;
  const name = /^[A-Za-z]\w{0,60}$/.test(error.name) ? error.name : 'Error';
  const frame = firstFrame(error);
  return frame === undefined ? name : `${name} ${frame}`;
}

/** `at read (roles-join.js:12:5)`: the folder tells nothing that the operator does not know. */
function firstFrame(error: Error): string | undefined {
  // The stack begins with the message, which may have lines that look like frames.
  const heading = `${error.name}: ${error.message}`;
  const stack = error.stack ?? '';
  const frames = stack.startsWith(heading) ? stack.slice(heading.length) : stack.replace(error.message, '');
  const frame = /^\s+at (.+)$/m.exec(frames)?.[1];
  return frame === undefined ? undefined : `at ${frame.replace(/(?:file:\/\/)?\/\S*\//, '')}`;
}
