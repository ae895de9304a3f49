import { refused, unreachable, type Destination } from './delivery.js';

export interface HttpCall {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * One request, of which only the status of the answer counts. Redirects are not followed: a report goes where the
 * operator said, and a signed one is not handed on to somebody else.
 */
export async function callHttp(destination: Destination, call: HttpCall, signal: AbortSignal): Promise<void> {
  const { method, body } = call;
  const { url, headers } = withoutCredentials(call);
  let response: Response;
  try {
    response = await fetch(url, { method, headers, redirect: 'manual', signal, ...(body !== undefined && { body }) });
  } catch (error) {
    throw unreachable(destination, reasonOf(error));
  }
  // What the answer says is of no interest, and it may never end. The connection is given up with it.
  response.body?.cancel().catch(() => undefined);
  const { status } = response;
  if (status >= 300 && status < 400) {
    throw refused(destination, `${status} (redirects are not followed: give the URL it leads to)`, false);
  }
  if (!response.ok) throw refused(destination, String(status), status >= 500 || status === 429 || status === 408);
}

/** `fetch` takes no URL with user and password, and quotes the whole URL when it complains. */
function withoutCredentials({ url, headers }: HttpCall): Pick<HttpCall, 'url' | 'headers'> {
  const bare = new URL(url);
  const { username, password } = bare;
  if (username === '' && password === '') return { url, headers };
  bare.username = '';
  bare.password = '';
  const pair = [username, password].map(decoded).join(':');
  return { url: bare.href, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}`, ...headers } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** `ECONNREFUSED`, `ENOTFOUND`, `CERT_HAS_EXPIRED`, … */
function reasonOf(error: unknown): string {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return error instanceof Error ? error.name : 'unknown';
}
