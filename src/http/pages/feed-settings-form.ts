import type { FastifyRequest } from 'fastify';
import type { Session } from '../../access/sessions.js';
import type { FeedConfig } from '../../config/config.js';
import type { FeedOverrideName } from '../../config/feed-overrides.js';
import { DEFAULT_GUARD_LIMITS, GUARD_NAMES, type GuardName } from '../../domain/guard.js';
import { html, type Html, type HtmlValue } from '../../lib/html.js';
import { printable } from '../../lib/printable.js';
import type { SettingInForce } from '../../settings/feed-settings.js';
import { choice, field, form, notice, plainChoices, table, time } from './parts.js';
import { fieldOf, fieldsOf, type Fields, type RefusedForm } from './request.js';

/** One setting: what it is called, how its value reads, its fields, and what they mean when they are sent. */
interface Setting {
  readonly title: string;
  readonly hint: string;
  readonly text: (value: unknown) => HtmlValue;
  /** What `text` leaves out, for those who have no form that shows it. */
  readonly details?: (value: unknown) => Html;
  /** How a value is written into the fields; `parse` reads it again. */
  readonly write: (value: unknown) => Readonly<Record<string, string>>;
  /** @param at begins the ids of the fields: a page has several forms */
  readonly fields: (shown: Fields, at: string) => Html;
  /** What is kept; what cannot be is refused by the schema of settings. */
  readonly parse: (given: Fields) => unknown;
}

const onOff = (title: string, hint: string): Setting => ({
  title,
  hint,
  text: onOrOff,
  write: (value) => ({ value: onOrOff(value) }),
  fields: (shown, at) => select(at, 'value', title, ['on', 'off'], shown),
  parse: (given) => switchIn(given('value')),
});

export const SETTINGS: Readonly<Record<FeedOverrideName, Setting>> = {
  autoApply: onOff('Automatic apply', 'Off: every run that changes something waits for an approval.'),
  start: {
    title: 'Start',
    hint: 'When a batch starts whose files are all there.',
    text: (value) => (value === 'on-signal' ? 'on a signal' : 'when all files are there'),
    write: (value) => ({ value: String(value) }),
    fields: (shown, at) => select(at, 'value', 'Start', ['when-ready', 'on-signal'], shown),
    parse: (given) => given('value'),
  },
  force: onOff(
    'Look at everybody',
    'On: each run looks at every user, also at those whose record is the same as last time.',
  ),
  guards: {
    title: 'Guards',
    hint: 'What holds a run before its first write. Shares are from 0 to 1.',
    text: guardsText,
    details: guardsTable,
    write: (value) =>
      Object.fromEntries(SETTABLE_GUARDS.flatMap((name) => guardWritten(name, (value as Guards)[name]))),
    fields: (shown, at) => html`${SETTABLE_GUARDS.map((name) => guardFields(name, shown, at))}`,
    parse: (given) => Object.fromEntries(SETTABLE_GUARDS.map((name) => [name, guardIn(name, given)])),
  },
  leavers: {
    title: "Leavers' grace",
    hint: 'How long somebody may be missing before being blocked.',
    text: (value) => {
      const { graceRuns, graceDays } = value as FeedConfig['leavers'];
      return graceRuns === 0 && graceDays === 0 ? 'none' : `${graceRuns} runs and ${graceDays} days`;
    },
    write: (value) => {
      const { graceRuns, graceDays } = value as FeedConfig['leavers'];
      return { graceRuns: String(graceRuns), graceDays: String(graceDays) };
    },
    fields: (shown, at) =>
      html`${numeric(at, 'graceRuns', 'Further runs', shown)} ${numeric(at, 'graceDays', 'Days', shown)}`,
    parse: (given) => ({ graceRuns: numberIn(given('graceRuns')), graceDays: numberIn(given('graceDays')) }),
  },
  expect: {
    title: 'Expected',
    hint: 'An alarm is raised when no batch has come by this time.',
    text: (value) => {
      const { by, days, timeZone } = value as FeedConfig['expect'];
      return by === undefined ? 'no alarm' : printable(`by ${by}, ${days.join(' ')}, ${timeZone}`);
    },
    write: (value) => {
      const { by = '', days, timeZone } = value as FeedConfig['expect'];
      return { by, days: days.join(), timeZone };
    },
    fields: (shown, at) =>
      html`${text(at, 'by', 'By (HH:MM, empty for no alarm)', shown)} ${text(at, 'days', 'Days', shown)}
      ${text(at, 'timeZone', 'Time zone', shown)}`,
    parse: (given) => ({
      ...(given('by') === '' ? {} : { by: given('by') }),
      days: given('days'),
      timeZone: given('timeZone'),
    }),
  },
  email: {
    title: 'Reports go to',
    hint: 'E-mail addresses, separated by commas.',
    text: (value) => printable((value as readonly string[]).join(', ') || 'nobody'),
    write: (value) => ({ value: (value as readonly string[]).join(', ') }),
    fields: (shown, at) => text(at, 'value', 'Addresses', shown),
    parse: (given) =>
      given('value')
        .split(/[\s,;]+/)
        .filter((address) => address !== ''),
  },
};

/** What a form of `settingsCard` asks for, as `Actions.changeSettings` takes it. */
export function settingIn(name: FeedOverrideName, request: FastifyRequest): unknown {
  if (fieldOf(request, 'back') !== undefined) return null;
  return SETTINGS[name].parse(fieldsOf(request));
}

export interface RefusedSetting extends RefusedForm {
  readonly name: FeedOverrideName;
}

export function settingsCard(
  session: Session,
  feed: string,
  settings: readonly SettingInForce[],
  canMail: boolean,
  refused?: RefusedSetting,
): Html {
  return html`<section class="card">
    <h2>Settings</h2>
    <p class="soft">What is set here wins over the configuration, from the next run on.</p>
    ${settings.map((setting) => {
      const { name, value } = setting;
      const { title, text: textOf, details } = SETTINGS[name];
      return html`<div class="setting" id="${name}">
        <h3>${title}</h3>
        <p><strong>${textOf(value)}</strong> <small>${origin(setting)}</small></p>
        ${name === 'email' && !canMail ? html`<p class="hint">No mail is sent yet: <code>mail.smtpUrl</code> is not configured.</p>` : null}
        ${
          session.may('configure')
            ? settingForm(session, feed, setting, refused?.name === name ? refused : undefined)
            : details?.(value)
        }
      </div>`;
    })}
  </section>`;
}

function settingForm(
  session: Session,
  feed: string,
  { name, value, from }: SettingInForce,
  refused?: RefusedForm,
): Html {
  const { hint, write, fields } = SETTINGS[name];
  const written = write(value);
  const shown = refused?.given ?? ((field: string) => written[field] ?? '');
  const back = html`<button name="back" value="1" class="quiet" formnovalidate>Take back to the configuration</button>`;
  return html`<details ${refused === undefined ? null : OPEN}>
    <summary>Change</summary>
    ${refused === undefined ? null : notice('bad', refused.problem)}
    ${form(
      session,
      // The browser goes to the setting itself, also when the page says what is wrong.
      `/feeds/${feed}/settings/${name}#${name}`,
      html`<p class="hint">${hint}</p>
        ${fields(shown, name)}
        <p class="actions"><button class="primary">Save</button> ${from === 'operator' ? back : null}</p>`,
      'stack',
    )}
  </details>`;
}

const OPEN = html`open`;

function origin({ name, from, set, configured }: SettingInForce): HtmlValue {
  if (from === 'default') return 'the default';
  if (from === 'configuration') return 'from the configuration file';
  const otherwise = html`the configuration says: ${SETTINGS[name].text(configured)}`;
  if (set === null) return html`set here; ${otherwise}`;
  return html`set by ${printable(set.by)}, ${time(set.at)}; ${otherwise}`;
}

function onOrOff(value: unknown): string {
  return value === true ? 'on' : 'off';
}

type Limits = Readonly<Record<string, number | boolean>>;
type Guards = Readonly<Record<GuardName, Limits>>;

/** An empty batch is never applied: there is nothing to set. */
const SETTABLE_GUARDS = GUARD_NAMES.filter((name) => name !== 'empty');

function guardsText(value: unknown): HtmlValue {
  const guards = value as Guards;
  const off = GUARD_NAMES.filter((name) => guards[name]['enabled'] === false);
  const changed = GUARD_NAMES.filter(
    (name) => !off.includes(name) && limitsOf(name).some((limit) => guards[name][limit] !== defaultOf(name, limit)),
  );
  return [
    off.length === 0 ? 'all on' : `all on but ${off.join(', ')}`,
    ...(changed.length === 0 ? [] : [`own limits for ${changed.join(', ')}`]),
  ].join('; ');
}

function guardsTable(value: unknown): Html {
  const rows = SETTABLE_GUARDS.map((name) => {
    const guard = (value as Guards)[name];
    const limits = limitsOf(name).map((limit) => `${LIMIT_TEXT[limit] ?? limit}: ${String(guard[limit])}`);
    return html`<tr>
      <th scope="row">${name}</th>
      <td>${onOrOff(guard['enabled'])}</td>
      <td class="text">${limits.join('; ')}</td>
    </tr>`;
  });
  return html`<details class="fold">
    <summary>Limits</summary>
    ${table(['Guard', 'Holds', 'Limits'], rows, 'Guards and their limits')}
  </details>`;
}

function guardFields(name: GuardName, shown: Fields, at: string): Html {
  return html`<fieldset>
    <legend>${name}</legend>
    ${select(at, `${name}.enabled`, 'Hold', ['on', 'off'], shown)}
    ${limitsOf(name).map((limit) => numeric(at, `${name}.${limit}`, LIMIT_TEXT[limit] ?? limit, shown, true))}
  </fieldset>`;
}

const LIMIT_TEXT: Readonly<Record<string, string>> = {
  share: 'beyond this share',
  count: 'but not below this many',
  bytes: 'but not below this many bytes',
  points: 'beyond this fall in points',
};

function guardWritten(name: GuardName, guard: Limits): (readonly [string, string])[] {
  const limits = limitsOf(name).map((limit) => [`${name}.${limit}`, String(guard[limit])] as const);
  return [[`${name}.enabled`, onOrOff(guard['enabled'])], ...limits];
}

function guardIn(name: GuardName, given: Fields): unknown {
  const enabled = given(`${name}.enabled`);
  // Neither: the form did not come whole.
  if (enabled !== 'on') return enabled === 'off' ? 'off' : null;
  const limits = limitsOf(name);
  if (limits.length === 0) return 'on';
  return Object.fromEntries(limits.map((limit) => [limit, numberIn(given(`${name}.${limit}`))]));
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

function select(at: string, name: string, label: string, values: readonly string[], shown: Fields): Html {
  return choice(name, label, plainChoices(values), { id: idOf(at, name), chosen: shown(name) });
}

function text(at: string, name: string, label: string, shown: Fields): Html {
  return field(name, label, { id: idOf(at, name), value: shown(name), isRequired: false });
}

function numeric(at: string, name: string, label: string, shown: Fields, isFraction = false): Html {
  const more = html`min="0" step="${isFraction ? 'any' : '1'}"`;
  return field(name, label, { id: idOf(at, name), type: 'number', value: shown(name), isRequired: false, more });
}

function idOf(at: string, name: string): string {
  return `${at}-${name.replaceAll('.', '-')}`;
}
