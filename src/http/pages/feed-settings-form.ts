import type { FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { FeedConfig } from '../../config/config.js';
import type { FeedOverrideName } from '../../config/feed-overrides.js';
import { DEFAULT_GUARD_LIMITS, GUARD_NAMES, type GuardName } from '../../domain/guard.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { SettingInForce } from '../../settings/feed-settings.js';
import { choice, field, form, plainChoices, time } from './parts.js';
import { fieldOf } from './request.js';

/** One setting: what it is called, how its value reads, its fields, and what they mean when they are sent. */
interface Setting {
  readonly title: string;
  readonly hint: string;
  readonly text: (value: unknown) => HtmlValue;
  /** @param at begins the ids of the fields: a page has several forms */
  readonly fields: (value: unknown, at: string) => Html;
  /** What is kept; what cannot be is refused by the schema of settings. */
  readonly parse: (field: (name: string) => string) => unknown;
}

const onOff = (title: string, hint: string): Setting => ({
  title,
  hint,
  text: (value) => (value === true ? 'on' : 'off'),
  fields: (value, at) => select(at, 'value', title, ['on', 'off'], value === true ? 'on' : 'off'),
  parse: (field) => switchIn(field('value')),
});

export const SETTINGS: Readonly<Record<FeedOverrideName, Setting>> = {
  autoApply: onOff('Automatic apply', 'Off: every run that changes something waits for an approval.'),
  start: {
    title: 'Start',
    hint: 'When a batch starts whose files are all there.',
    text: (value) => (value === 'on-signal' ? 'on a signal' : 'when all files are there'),
    fields: (value, at) => select(at, 'value', 'Start', ['when-ready', 'on-signal'], String(value)),
    parse: (field) => field('value'),
  },
  force: onOff(
    'Look at everybody',
    'On: each run looks at every user, also at those whose record is the same as last time.',
  ),
  guards: {
    title: 'Guards',
    hint: 'What holds a run before its first write. Shares are from 0 to 1.',
    text: guardsText,
    fields: guardFields,
    parse: (field) =>
      Object.fromEntries(GUARD_NAMES.filter((name) => name !== 'empty').map((name) => [name, guardIn(name, field)])),
  },
  leavers: {
    title: "Leavers' grace",
    hint: 'How long somebody may be missing before being blocked.',
    text: (value) => {
      const { graceRuns, graceDays } = value as FeedConfig['leavers'];
      return graceRuns === 0 && graceDays === 0 ? 'none' : `${graceRuns} runs and ${graceDays} days`;
    },
    fields: (value, at) => {
      const { graceRuns, graceDays } = value as FeedConfig['leavers'];
      return html`${numeric(at, 'graceRuns', 'Further runs', graceRuns)} ${numeric(at, 'graceDays', 'Days', graceDays)}`;
    },
    parse: (field) => ({ graceRuns: numberIn(field('graceRuns')), graceDays: numberIn(field('graceDays')) }),
  },
  expect: {
    title: 'Expected',
    hint: 'An alarm is raised when no batch has come by this time.',
    text: (value) => {
      const { by, days, timeZone } = value as FeedConfig['expect'];
      return by === undefined ? 'no alarm' : printable(`by ${by}, ${days.join(' ')}, ${timeZone}`);
    },
    fields: (value, at) => {
      const { by, days, timeZone } = value as FeedConfig['expect'];
      return html`${text(at, 'by', 'By (HH:MM, empty for no alarm)', by ?? '')}
      ${text(at, 'days', 'Days', days.join(','))} ${text(at, 'timeZone', 'Time zone', timeZone)}`;
    },
    parse: (field) => ({
      ...(field('by') === '' ? {} : { by: field('by') }),
      days: field('days'),
      timeZone: field('timeZone'),
    }),
  },
  email: {
    title: 'Reports go to',
    hint: 'E-mail addresses, separated by commas.',
    text: (value) => printable((value as readonly string[]).join(', ') || 'nobody'),
    fields: (value, at) => text(at, 'value', 'Addresses', (value as readonly string[]).join(', ')),
    parse: (field) =>
      field('value')
        .split(/[\s,;]+/)
        .filter((address) => address !== ''),
  },
};

/** What a form of `settingsCard` asks for, as `Actions.changeSettings` takes it. */
export function settingIn(name: FeedOverrideName, request: FastifyRequest): unknown {
  if (fieldOf(request, 'back') !== undefined) return null;
  return SETTINGS[name].parse((field) => fieldOf(request, field)?.trim() ?? '');
}

export function settingsCard(
  session: Session,
  feed: string,
  settings: readonly SettingInForce[],
  canMail: boolean,
): Html {
  return html`<section class="card">
    <h2>Settings</h2>
    <p class="soft">What is set here wins over the configuration, from the next run on.</p>
    ${settings.map((setting) => settingPart(session, feed, setting, canMail))}
  </section>`;
}

function settingPart(session: Session, feed: string, setting: SettingInForce, canMail: boolean): Html {
  const { name, value, from } = setting;
  const { title, hint, text: textOf, fields } = SETTINGS[name];
  const address = `/feeds/${feed}/settings/${name}`;
  const back = html`<button name="back" value="1" class="quiet" formnovalidate>Take back to the configuration</button>`;
  return html`<div class="setting" id="${name}">
    <h3>${title}</h3>
    <p><strong>${textOf(value)}</strong> <small>${origin(setting)}</small></p>
    ${name === 'email' && !canMail ? html`<p class="hint">No mail is sent yet: <code>mail.smtpUrl</code> is not configured.</p>` : null}
    ${
      session.may('configure')
        ? html`<details>
            <summary>Change</summary>
            ${form(
              session,
              address,
              html`<p class="hint">${hint}</p>
                ${fields(value, name)}
                <p class="actions"><button class="primary">Save</button> ${from === 'operator' ? back : null}</p>`,
              'stack',
            )}
          </details>`
        : null
    }
  </div>`;
}

function origin({ name, from, set, configured }: SettingInForce): HtmlValue {
  if (from === 'default') return 'the default';
  if (from === 'configuration') return 'from the configuration file';
  const otherwise = html`the configuration says: ${SETTINGS[name].text(configured)}`;
  if (set === null) return html`set here; ${otherwise}`;
  return html`set by ${printable(set.by)}, ${time(set.at)}; ${otherwise}`;
}

type Limits = Readonly<Record<string, number | boolean>>;

function guardsText(value: unknown): HtmlValue {
  const guards = value as Readonly<Record<GuardName, Limits>>;
  const off = GUARD_NAMES.filter((name) => guards[name]['enabled'] === false);
  const changed = GUARD_NAMES.filter(
    (name) => !off.includes(name) && limitsOf(name).some((limit) => guards[name][limit] !== defaultOf(name, limit)),
  );
  return [
    off.length === 0 ? 'all on' : `all on but ${off.join(', ')}`,
    ...(changed.length === 0 ? [] : [`own limits for ${changed.join(', ')}`]),
  ].join('; ');
}

function guardFields(value: unknown, at: string): Html {
  const guards = value as Readonly<Record<GuardName, Limits>>;
  return html`${GUARD_NAMES.filter((name) => name !== 'empty').map(
    (name) =>
      html`<fieldset>
        <legend>${name}</legend>
        ${select(at, `${name}.enabled`, 'Hold', ['on', 'off'], guards[name]['enabled'] === true ? 'on' : 'off')}
        ${limitsOf(name).map((limit) => numeric(at, `${name}.${limit}`, LIMIT_TEXT[limit] ?? limit, Number(guards[name][limit]), true))}
      </fieldset>`,
  )}`;
}

const LIMIT_TEXT: Readonly<Record<string, string>> = {
  share: 'beyond this share',
  count: 'but not below this many',
  bytes: 'but not below this many bytes',
  points: 'beyond this fall in points',
};

function guardIn(name: GuardName, field: (name: string) => string): unknown {
  const enabled = field(`${name}.enabled`);
  // Neither: the form did not come whole.
  if (enabled !== 'on') return enabled === 'off' ? 'off' : null;
  const limits = limitsOf(name);
  if (limits.length === 0) return 'on';
  return Object.fromEntries(limits.map((limit) => [limit, numberIn(field(`${name}.${limit}`))]));
}

/** What is neither is refused by the schema. */
function switchIn(given: string): unknown {
  return given === 'on' ? true : given === 'off' ? false : given;
}

function limitsOf(name: GuardName): string[] {
  return Object.keys(DEFAULT_GUARD_LIMITS[name]);
}

function defaultOf(name: GuardName, limit: string): unknown {
  return (DEFAULT_GUARD_LIMITS[name] as Limits)[limit];
}

/** What is no number is refused by the schema, with its text. */
function numberIn(given: string): number | string {
  return given !== '' && Number.isFinite(Number(given)) ? Number(given) : given;
}

function select(at: string, name: string, label: string, values: readonly string[], chosen: string): Html {
  return choice(name, label, plainChoices(values), { id: idOf(at, name), chosen });
}

function text(at: string, name: string, label: string, value: string): Html {
  return field(name, label, { id: idOf(at, name), value, isRequired: false });
}

function numeric(at: string, name: string, label: string, value: number, isFraction = false): Html {
  const more = html`min="0" step="${isFraction ? 'any' : '1'}"`;
  return field(name, label, { id: idOf(at, name), type: 'number', value: String(value), isRequired: false, more });
}

function idOf(at: string, name: string): string {
  return `${at}-${name.replaceAll('.', '-')}`;
}
