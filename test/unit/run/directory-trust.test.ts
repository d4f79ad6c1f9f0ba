import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DirectoryFacts, findDistrust, type PathStep } from '../../../supervisor/run/directory-trust.ts'

const own = 1000
const other = 2000
const step = (path: string, change: Partial<PathStep> = {}): PathStep => ({
  path,
  isLink: false,
  uid: 0,
  mode: 0o755,
  isMount: path === '/',
  ...change,
})
const tmp = step('/tmp', { mode: 0o1777 })
const reasonFor = (steps: PathStep[], change: Partial<DirectoryFacts> = {}) =>
  findDistrust({ steps: [step('/'), ...steps], exists: true, entries: [], user: own, ...change })?.reason

describe('a directory is trusted', () => {
  const cases: [string, PathStep[], Partial<DirectoryFacts>?][] = [
    ['if it is ours in /tmp', [tmp, step('/tmp/run', { uid: own })]],
    ["if it is root's in /tmp", [tmp, step('/tmp/run')]],
    ['if it is yet to be created in /tmp', [tmp], { exists: false }],
    [
      'in the home directory of its user',
      [step('/home'), step('/home/me', { uid: own, mode: 0o775 }), step('/home/me/run', { uid: own })],
    ],
    [
      'through a link of ours',
      [tmp, step('/tmp/link', { uid: own, isLink: true, mode: 0o777 }), step('/srv/run', { uid: own })],
    ],
    ['on a volume of the host, whoever owns it', [step('/var'), step('/var/state', { uid: other, isMount: true })]],
    [
      'on a volume that everyone may write to',
      [step('/run', { mode: 0o777, isMount: true }), step('/run/monohull', { uid: own })],
    ],
    ['if it is such a volume', [step('/state', { mode: 0o1777, isMount: true })]],
    [
      'with entries of ours and of root',
      [step('/run/m', { uid: own })],
      {
        entries: [
          { path: 'a', uid: own },
          { path: 'b', uid: 0 },
        ],
      },
    ],
  ]
  for (const [what, steps, change] of cases) it(what, () => assert.equal(reasonFor(steps, change), undefined))
})

describe('a directory is not trusted', () => {
  const cases: [string, PathStep[], RegExp, Partial<DirectoryFacts>?][] = [
    [
      'if another user created it first',
      [tmp, step('/tmp/run', { uid: other })],
      /\/tmp\/run belongs to another user \(uid 2000\)/,
    ],
    [
      'below a directory of another user in /tmp',
      [tmp, step('/tmp/a', { uid: other }), step('/tmp/a/run', { uid: own })],
      /\/tmp\/a belongs to/,
    ],
    [
      'if it is yet to be created there',
      [tmp, step('/tmp/a', { uid: other })],
      /\/tmp\/a belongs to/,
      { exists: false },
    ],
    [
      'through a link of another user',
      [tmp, step('/tmp/link', { uid: other, isLink: true }), step('/srv/run', { uid: own })],
      /\/tmp\/link belongs to/,
    ],
    ['if another user owns it', [step('/srv'), step('/srv/run', { uid: other })], /\/srv\/run belongs to/],
    [
      'if everyone may write to it',
      [step('/srv'), step('/srv/run', { uid: own, mode: 0o777 })],
      /every user may write to it/,
    ],
    ['if it is /tmp itself', [tmp], /every user may write to it/],
    [
      'if everyone may rename it',
      [step('/srv', { mode: 0o777 }), step('/srv/run', { uid: own })],
      /every user may rename what \/srv contains/,
    ],
    [
      'on a volume that everyone may write to, if another user created it',
      [step('/run', { mode: 0o777, isMount: true }), step('/run/m', { uid: other })],
      /\/run\/m belongs to/,
    ],
    [
      'if another user mounted it in /tmp',
      [tmp, step('/tmp/run', { uid: other, isMount: true })],
      /\/tmp\/run belongs to/,
    ],
    [
      'with an entry of another user',
      [step('/run/m', { uid: own })],
      /\/run\/m\/nginx belongs to/,
      { entries: [{ path: '/run/m/nginx', uid: other }] },
    ],
  ]
  for (const [what, steps, reason, change] of cases)
    it(what, () => assert.match(reasonFor(steps, change) ?? '', reason))
})
