import type { HttpServer, HttpServerOptions } from '../http/server.js';

/** Loads the server when it is needed: that takes longer than everything else that most commands do. */
export async function listen(options: HttpServerOptions): Promise<HttpServer> {
  const { HttpServer } = await import('../http/server.js');
  return HttpServer.listen(options);
}
