import { checks, DATE, field, maps, type Chapter, type ControlCase, type MappingCase } from './rule.js';

/** A date in a format, as it is stored; undefined: an error on the record. */
function date(dateFormat: string, text: string, stored?: string): MappingCase {
  const expected = stored === undefined ? { profile: {}, errors: ['invalid-date'] } : { profile: { [DATE]: [stored] } };
  return maps([field('a', DATE, { dateFormat })], { a: text }, expected);
}

function refused(...formats: string[]): ControlCase[] {
  return formats.map((dateFormat) =>
    checks([field('a', DATE, { dateFormat })], ['invalid-date-format /instructions/4/dateFormat']),
  );
}

export const DATES: Chapter = {
  name: 'dates',
  rules: [
    {
      id: 'dates.year.1',
      rule: '`yyyy` is a year of four digits',
      cases: [
        date('yyyy', '2026', '2026-01-01'),
        date('yyyy', '26'),
        date('yyyy', '20261'),
        ...refused('yy', 'yyy', 'yyyyy'),
      ],
    },
    {
      id: 'dates.month.1',
      rule: '`MM` is a month of two digits',
      cases: [
        date('MM/yyyy', '02/2026', '2026-02-01'),
        date('MM/yyyy', '13/2026'),
        date('MM/yyyy', '00/2026'),
        date('MM/yyyy', '2/2026'),
      ],
    },
    {
      id: 'dates.month.2',
      rule: '`MMM` is the short name of a month',
      cases: [
        date('d MMM yyyy', '1 Feb 2026', '2026-02-01'),
        date('d MMM yyyy', '1 feb 2026', '2026-02-01'),
        date('d MMM yyyy', '1 Fbr 2026'),
        date('d MMM yyyy', '1 February 2026'),
      ],
    },
    {
      id: 'dates.day.1',
      rule: '`dd` is a day that the month has',
      cases: [
        date('yyyy-MM-dd', '2026-02-28', '2026-02-28'),
        date('yyyy-MM-dd', '2024-02-29', '2024-02-29'),
        date('yyyy-MM-dd', '2026-02-29'),
        date('yyyy-MM-dd', '2026-02-30'),
        date('yyyy-MM-dd', '2026-04-31'),
        date('yyyy-MM-dd', '2026-04-00'),
      ],
    },
    {
      id: 'dates.hour.1',
      rule: '`HH` is an hour of 24',
      cases: [
        date('yyyy-MM-dd HH', '2026-11-22 00', '2026-11-22T00:00:00'),
        date('yyyy-MM-dd HH', '2026-11-22 23', '2026-11-22T23:00:00'),
        date('yyyy-MM-dd HH', '2026-11-22 24'),
      ],
    },
    {
      id: 'dates.minute.1',
      rule: '`mm` is a minute and `ss` a second',
      cases: [
        date('yyyy-MM-dd HH:mm', '2026-11-22 09:30', '2026-11-22T09:30:00'),
        date('yyyy-MM-dd HH:mm:ss', '2026-11-22 09:30:59', '2026-11-22T09:30:59'),
        date('yyyy-MM-dd HH:mm', '2026-11-22 09:60'),
        date('yyyy-MM-dd HH:mm:ss', '2026-11-22 09:30:60'),
      ],
    },
    {
      id: 'dates.millisecond.1',
      rule: '`SSS` is a thousandth of a second',
      cases: [
        date('yyyy-MM-dd HH:mm:ss.SSS', '2026-11-22 09:30:00.007', '2026-11-22T09:30:00.007'),
        date('yyyy-MM-dd HH:mm:ss.SSS', '2026-11-22 09:30:00.7'),
        ...refused('yyyy SS'),
      ],
    },
    {
      id: 'dates.half.1',
      rule: '`a` tells the halves of the day',
      cases: [
        date('yyyy-MM-dd hh:mm a', '2026-11-22 09:30 PM', '2026-11-22T21:30:00'),
        date('yyyy-MM-dd hh:mm a', '2026-11-22 12:00 am', '2026-11-22T00:00:00'),
        date('yyyy-MM-dd HH:mm a', '2026-11-22 21:30 PM', '2026-11-22T21:30:00'),
        date('yyyy-MM-dd HH:mm a', '2026-11-22 21:30 AM'),
        date('yyyy-MM-dd hh:mm a', '2026-11-22 09:30 XM'),
      ],
    },
    {
      id: 'dates.zone.1',
      rule: '`Z` and `X` are the distance to Greenwich',
      cases: [
        date('yyyy-MM-dd HH:mmZ', '2026-11-22 09:30+0130', '2026-11-22T08:00:00Z'),
        date('yyyy-MM-dd HH:mmX', '2026-11-22 09:30-05', '2026-11-22T14:30:00Z'),
        date('yyyy-MM-dd HH:mmX', '2026-11-22 09:30Z', '2026-11-22T09:30:00Z'),
        date('yyyy-MM-dd HH:mmXXX', '2026-11-22 09:30+05:30', '2026-11-22T04:00:00Z'),
        date('yyyy-MM-dd HH:mmZ', '2026-11-22 09:30 CET'),
      ],
    },
    {
      id: 'dates.weekday.1',
      rule: '`EEE` is the day of the week, which must be right',
      cases: [date('EEE dd MMM yyyy', 'Sun 22 Nov 2026', '2026-11-22'), date('EEE dd MMM yyyy', 'Mon 22 Nov 2026')],
    },
    {
      id: 'dates.quoted.1',
      rule: 'Quoted text stands for itself',
      cases: [
        date("yyyy-MM-dd'T'HH:mm", '2026-11-22T09:30', '2026-11-22T09:30:00'),
        date("'on' dd''MM''yyyy", "on 22'11'2026", '2026-11-22'),
        date("yyyy-MM-dd'T'HH:mm", '2026-11-22 09:30'),
        ...refused("yyyy'T", 'yyyyThh'),
      ],
    },
    {
      id: 'dates.strict.1',
      rule: 'The whole text is a date in the format',
      cases: [
        date('dd/MM/yyyy', '22/11/2026', '2026-11-22'),
        ...['22/11/2026 ', ' 22/11/2026', '22-11-2026', '22/11/2026x', '2/11/2026', '2026/11/22', 'today'].map((text) =>
          date('dd/MM/yyyy', text),
        ),
        maps([field('a', DATE, { dateFormat: 'yyyy' })], { a: 2026 }, { errors: ['invalid-date'] }),
        maps([field('a', DATE, { dateFormat: 'yyyy' })], { a: ['2026'] }, { errors: ['invalid-date'] }),
      ],
    },
    {
      id: 'dates.letters.1',
      rule: 'Other letters are problems of the control file',
      cases: refused(
        'YYYY',
        'yyyy ww',
        'yyyy DDD',
        'yyyy F',
        'yyyy u',
        'yyyy k',
        'yyyy K',
        'yyyy z',
        'G yyyy',
        'yyyy b',
      ),
    },
  ],
};
