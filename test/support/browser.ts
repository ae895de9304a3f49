import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Role } from '../../src/domain/access.js';
import { PASSWORD, type HttpSite } from './http-site.js';
import { describeWherePossible } from './where-possible.js';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

const KNOWN_PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Debian's Chromium, or the one that CHROMIUM names. */
function executable(): string | undefined {
  return [process.env['CHROMIUM'] ?? '', ...KNOWN_PLACES].find((path) => path !== '' && existsSync(path));
}

/** Why pages cannot be looked at with a real browser here; undefined when they can. */
export function missingForBrowser(): string | undefined {
  return executable() === undefined ? 'there is no Chromium: install Debian’s, or name one in CHROMIUM' : undefined;
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = executable();
  if (executablePath === undefined) throw new Error(missingForBrowser());
  // Its sandbox cannot be had as root, and what it opens here are our own pages.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** Of axe, those that depend on colours. */
const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

export const WIDE = { width: 1280, height: 900 };
export const NARROW = { width: 400, height: 800 };

/** A person's browser window on the site. What the page's script throws, or the policy blocks, fails the test. */
export class Window implements AsyncDisposable {
  private constructor(
    private readonly context: BrowserContext,
    readonly page: Page,
    readonly complaints: readonly string[],
  ) {}

  static async open(
    browser: Browser,
    origin: string,
    options: { script?: boolean; size?: typeof WIDE } = {},
  ): Promise<Window> {
    const { script = true, size = WIDE } = options;
    const context = await browser.newContext({
      baseURL: origin,
      javaScriptEnabled: script,
      viewport: size,
      locale: 'en-GB',
      timezoneId: 'Asia/Tokyo',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    return new Window(context, page, complaints);
  }

  /** Of somebody new with a role, an admin unless told, who has signed in. */
  static async signedIn(
    browser: Browser,
    http: HttpSite,
    options: { script?: boolean; size?: typeof WIDE; role?: Role } = {},
  ): Promise<Window> {
    const { role = 'admin', ...rest } = options;
    const name = `Anna ${role} ${rest.script === false ? 'plain' : ''} ${rest.size?.width ?? ''}`.trim();
    await http.signIn(role, name);
    const window = await Window.open(browser, http.origin, rest);
    await window.page.goto('/sign-in');
    await window.send('Sign in', { Name: name, Password: PASSWORD });
    await window.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    return window;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.context.close();
  }

  /** Fills fields by their labels and sends the form by its button. */
  async send(button: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
    for (const [label, value] of Object.entries(fields)) await this.page.getByLabel(label, { exact: true }).fill(value);
    await this.page.getByRole('button', { name: button, exact: true }).click();
  }

  /** Serious and critical violations that axe-core finds, as `rule: element`: in light, and the colours also in dark. */
  async violations(): Promise<string[]> {
    const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    // Evaluated by the debugger, to which the page's policy does not apply.
    await this.page.evaluate(source);
    const dark = await this.#violations('dark', COLOUR_RULES);
    return [...(await this.#violations('light')), ...dark];
  }

  async #violations(colorScheme: 'light' | 'dark', rules?: readonly string[]): Promise<string[]> {
    await this.page.emulateMedia({ colorScheme });
    const { violations } = await this.page.evaluate(
      (only) => (globalThis as unknown as Axe).axe.run(only === undefined ? {} : { runOnly: only }),
      rules,
    );
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id} in ${colorScheme}: ${target.join(' ')}`));
  }

  /** Whether something sticks out to the side, so that the whole page scrolls. */
  async isTooWide(): Promise<boolean> {
    return this.page.evaluate<boolean>(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth + 1',
    );
  }

  /** For looking at, where SCREENSHOTS names a folder. */
  async picture(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
}

interface Axe {
  readonly axe: {
    run(options: object): Promise<{
      readonly violations: readonly {
        readonly id: string;
        readonly impact: string | null;
        readonly nodes: readonly { readonly target: readonly string[] }[];
      }[];
    }>;
  };
}

/** Tests with a real browser. */
export function inBrowser(title: string, define: (browser: () => Browser) => void): void {
  describeWherePossible(missingForBrowser(), title, function () {
    this.timeout(180_000);
    let browser: Browser | undefined;
    before(async () => {
      browser = await launchBrowser();
    });
    after(async () => browser?.close());
    define(() => {
      if (browser === undefined) throw new Error('the browser has not started');
      return browser;
    });
  });
}
