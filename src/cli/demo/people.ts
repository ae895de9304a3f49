/**
 * Fictional people, always the same for a seed. Each is made from its number alone, so that a feed of any length can be
 * written without holding it, and what changes from one batch to the next is known by number too.
 */
export interface DemoRecord {
  readonly USERNAME: string;
  readonly TITLE: string;
  readonly FIRST_NAME: string;
  readonly LAST_NAME: string;
  readonly EMAIL: string;
  readonly ROLE: 'staff' | 'student';
  readonly JOB_TITLE: string;
  readonly PHONE: string;
  readonly HOMEPAGE: string;
  readonly CARD: string;
}

const FIRST_NAMES =
  `Ada Amara Anouk Arjun Beatriz Bram Chiara Daan Deniz Elif Emeka Esther Farid Femke Freya Giulia Hana
  Hugo Ilse Imran Ines Jonas Kaya Kofi Lars Leila Linh Lotte Maeve Malik Mateo Mei Milan Naomi Nils Noor Olga Omar Paulo
  Priya Quinn Rania Ravi Rosa Ruben Saar Sanne Sofia Soren Tariq Tess Thijs Uma Vera Wanda Wout Yara Yusuf Zoë Zuri`
    .trim()
    .split(/\s+/);

const LAST_NAMES =
  `Abbas Adeyemi Almeida Andersen Bakker Banerjee Bianchi Boateng Brouwer Castillo Chen Costa Dahl Dekker
  Demir Dubois Eriksen Fernández Fischer Fontaine García Haddad Hansen Hoang Ibrahim Jansen Johansson Kamara Keller
  Kowalski Kumar Laurent Lindqvist López Marín Mbeki Meijer Moreau Müller Nakamura Nguyen Novák O’Brien Okafor Olsen
  Patel Peeters Petrov Popescu Rahman Rossi Sato Schmidt Silva Singh Smit Suzuki Tanaka Van-den-Berg Visser Yılmaz`
    .trim()
    .split(/\s+/);

const JOB_TITLES = [
  'Lecturer in History',
  'Senior Lecturer in Physics',
  'Professor of Chemistry',
  'Reader in Linguistics',
  'Research Fellow',
  'Laboratory Technician',
  'Librarian',
  'Systems Administrator',
  'Student Adviser',
  'Finance Officer',
  'Estates Manager',
  'Teaching Assistant',
];

const TITLES = ['', 'Dr', 'Mr', 'Ms', 'Mx', 'Prof'];

/**
 * @param number counts from 0.
 * @param revision 0 for the person as first seen; another one changes job and telephone number.
 */
export function demoPerson(seed: number, number: number, revision: number): DemoRecord {
  const pick = <T>(list: readonly T[], aspect: number): T => list[scramble(seed, number, aspect) % list.length] as T;
  const first = pick(FIRST_NAMES, 1);
  const last = pick(LAST_NAMES, 2);
  const username =
    `${first}${last}`
      .normalize('NFD')
      .replaceAll(/[^A-Za-z]/g, '')
      .toLowerCase() + String(number);
  const isStaff = scramble(seed, number, 3) % 4 === 0;
  return {
    USERNAME: username,
    TITLE: isStaff ? pick(TITLES, 4) : '',
    FIRST_NAME: first,
    LAST_NAME: last,
    EMAIL: `${username}@example.ac.uk`,
    ROLE: isStaff ? 'staff' : 'student',
    JOB_TITLE: isStaff ? pick(JOB_TITLES, 5 + revision) : '',
    // Numbers that the regulator keeps free for fiction.
    PHONE: `+44 20 7946 0${String(scramble(seed, number, 50 + revision) % 1000).padStart(3, '0')}`,
    HOMEPAGE: isStaff ? `people.example.ac.uk/${username.replaceAll(/[0-9]/g, '')}` : '',
    CARD: String(1_000_000_000 + (scramble(seed, number, 7) % 1_000_000_000)),
  };
}

/** A well-spread 32-bit number of three (the finaliser of MurmurHash3). */
export function scramble(seed: number, number: number, aspect: number): number {
  let hash =
    Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35) ^ Math.imul(aspect, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
