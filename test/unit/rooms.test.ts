import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  findCircles,
  type Import,
  importsOf,
  readSources,
  type Sources,
  specifiersOf,
  withoutComments,
} from './read-imports.ts'

/** The rooms, in the order in which they build on each other: a room imports only from rooms before it. */
const rooms = [
  ...['base', 'config', 'logs', 'processes', 'nginx', 'shared-state'],
  ...['front', 'workers', 'upstreams', 'certificates', 'routes', 'dynamic-routes', 'programs', 'dashboard'],
  ...['site', 'run', 'development', 'cli', 'main'],
]
/** Rooms that every room may use. */
const general = ['base', 'config', 'logs', 'processes', 'nginx', 'shared-state']
/** Rooms of other subjects that a subject may use. Everything else reaches it as an argument, wired in `run/`. */
const allies: Record<string, readonly string[]> = {
  routes: ['front', 'workers', 'upstreams', 'certificates'],
  'dynamic-routes': ['front', 'workers', 'upstreams', 'routes'],
}
/** Rooms that know every subject, and those above them. */
const composers = ['site', 'run', 'development', 'cli', 'main']
const mostArrows = 89
/** Programs of their own: nobody imports them. */
const programs = new Set(['workers/preload.ts', 'run/healthcheck.ts', 'main.ts'])
/** Modules of Node that reach the machine, or keep time. */
const machine =
  /^(node:)?(child_process|fs|fs\/promises|net|http|https|tls|dgram|dns|dns\/promises|os|timers|timers\/promises)$/

const roomOf = (path: string) => rooms.find(room => path === `${room}.ts` || path.startsWith(`${room}/`))
/** The preload of Node workers, which runs in another's process. */
const isPreload = (path: string) => path === 'workers/preload.ts' || path.startsWith('workers/preload/')
const isAdapter = (path: string) => path.includes('/adapters/')
/** The command line and programs of their own touch the machine by their nature. */
const isAtTheEdge = (path: string) =>
  isAdapter(path) || isPreload(path) || path.startsWith('cli/') || programs.has(path)

/** Packages that a file may import though it is no adapter. */
function mayImportPackage(path: string, name: string): boolean {
  if (name === 'zod') return true // types of keys, and how they are checked
  return name === 'yaml' && path.startsWith('config/')
}

function mayImportRoom(from: string, to: string): boolean {
  if (from === to || general.includes(to)) return rooms.indexOf(to) <= rooms.indexOf(from)
  const isAllowed = composers.includes(from) || allies[from]?.includes(to)
  return isAllowed === true && rooms.indexOf(to) < rooms.indexOf(from)
}

/** What is wrong with one import, if anything. */
function judge({ from, to }: Import, sources: Sources): string | undefined {
  const name = `${from} imports ${to}`
  if (to === 'a computed import') return `${name}, which nobody can check`
  if (!to.endsWith('.ts')) {
    if (to === 'process' || to === 'node:process') return `${name}; the environment is for programs`
    const isOfTheMachine = machine.test(to) || (!to.startsWith('node:') && !mayImportPackage(from, to))
    return isOfTheMachine && !isAtTheEdge(from) ? `${name}; that is for adapters` : undefined
  }
  if (!sources.has(to)) return `${name}, which is not there or not the supervisor's`
  if (programs.has(to)) return `${name}, which is a program of its own`
  if (isPreload(from) && !isPreload(to)) return `${name}; the preload runs in another's process`
  const [upper, lower] = [roomOf(from), roomOf(to)]
  if (isPreload(to) && !isPreload(from)) return `${name}, which is a program of its own`
  if (upper === undefined || lower === undefined) return `${name}, and one of them is in no room`
  return mayImportRoom(upper, lower) ? undefined : `${name}: ${upper} does not build on ${lower}`
}

function violations(sources: Sources): string[] {
  const imports = importsOf(sources)
  return [...imports.flatMap(found => judge(found, sources) ?? []), ...findCircles(imports)]
}

/** Pairs of rooms of which the first imports from the second. */
function arrows(sources: Sources): Set<string> {
  const pairs = importsOf(sources).map(({ from, to }) => [roomOf(from), roomOf(to)])
  return new Set(pairs.flatMap(([from, to]) => (from && to && from !== to ? `${from} → ${to}` : [])))
}

/** Files whose code, comments aside, holds the pattern. */
function holding(sources: Sources, pattern: RegExp): string[] {
  return [...sources].filter(([, text]) => pattern.test(withoutComments(text))).map(([path]) => path)
}

const environment =
  /\bprocess\s*(\??\.|\[)\s*['"]?(env|exit|exitCode|argv|abort|reallyExit)\b|=\s*process\b(?!\s*[.?[])/
const impure =
  /(?<![.\w])(set(Timeout|Interval|Immediate)|fetch)\s*\(|(?<![.\w])(console|performance|globalThis)\s*[.?[]|(?<![.\w])process\s*\.\s*(std\w+|kill|on|once|cwd|chdir|hrtime|memoryUsage|umask)\b|\b(Date\.now|Math\.random)\b|new Date\(\s*\)/

describe('the rooms of supervisor/', () => {
  const sources = readSources(join(import.meta.dirname, '../../supervisor'))

  it('hold every file', () => {
    assert.ok(sources.size > 200, `${sources.size} files found`)
    assert.deepEqual(
      [...sources.keys()].filter(path => roomOf(path) === undefined),
      [],
    )
    for (const path of programs) assert.ok(sources.has(path), `${path} is not there`)
  })

  it('build on each other in their order, and never in a circle', () => assert.deepEqual(violations(sources), []))

  it(`are joined by at most ${mostArrows} arrows`, () => {
    const found = arrows(sources)
    assert.ok(found.size <= mostArrows, `${found.size}: ${[...found].sort().join(', ')}`)
  })

  it('keep time, chance and the machine in adapters', () => {
    assert.deepEqual(holding(new Map([...sources].filter(([path]) => !isAtTheEdge(path))), impure), [])
  })

  it('read the environment and end the process only in programs', () => {
    const withoutPreload = (paths: Iterable<string>) => [...paths].filter(path => !isPreload(path)).sort()
    assert.deepEqual(withoutPreload(holding(sources, environment)), withoutPreload(programs))
  })

  it('hold no Lua but what Redis runs: that of nginx is in nginx/lua', () => {
    const others = new Map([...sources].filter(([path]) => path !== 'shared-state/scripts.ts'))
    assert.deepEqual(holding(others, /['"`][^'"`]*(\blocal \w+ = |\bngx\.(say|exit|shared|var|ctx)\b)/), [])
  })
})

describe('the check of the rooms', () => {
  const check = (files: Record<string, string>) => violations(new Map(Object.entries(files)))
  const target = (path: string) => ({ [path]: 'export type A = 1' })

  it('reads every way to import', () => {
    const text = `import a, { type B } from './a.ts'
import type { C } from './c.ts'
import {
  d,
} from './d.ts'
import './e.ts'
export { f } from './f.ts'
export type * from './g.ts'
const h = await import('./h.ts')
type I = import('./i.ts').I
const j = require("./j.ts")
// import k from './k.ts'
/* import l from './l.ts' */
const m = "import m from './m.ts'"
`
    const read = specifiersOf(text).map(specifier => specifier.slice(2, 3))
    assert.deepEqual(read.sort(), ['a', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])
    assert.deepEqual(specifiersOf('import(name)'), ['a computed import'])
  })

  const wrong: [string, string, string][] = [
    ['base/a.ts', 'config/b.ts', 'base does not build on config'],
    ['nginx/a.ts', 'routes/b.ts', 'nginx does not build on routes'],
    ['certificates/a.ts', 'front/b.ts', 'certificates does not build on front'],
    ['workers/a.ts', 'programs/b.ts', 'workers does not build on programs'],
    ['programs/a.ts', 'workers/b.ts', 'programs does not build on workers'],
    ['site/a.ts', 'run/b.ts', 'site does not build on run'],
    ['run/a.ts', 'cli/b.ts', 'run does not build on cli'],
    ['front/cache/a.ts', 'routes/b.ts', 'front does not build on routes'],
    ['run/a.ts', 'workers/preload.ts', 'a program of its own'],
    ['other/a.ts', 'base/b.ts', 'in no room'],
  ]
  for (const [from, to, reason] of wrong) {
    it(`refuses ${from} → ${to}, even for a type`, () => {
      const up = '../'.repeat(from.split('/').length - 1)
      const [first = ''] = check({ [from]: `import type { A } from '${up}${to}'`, ...target(to) })
      assert.ok(first.startsWith(`${from} imports ${to}`) && first.endsWith(reason), first)
    })
  }

  it('lets a subject use general rooms, routes what they lead to, and run everything', () => {
    for (const [from, to] of [
      ['certificates/acme/a.ts', 'nginx/b.ts'],
      ['routes/a.ts', 'upstreams/b.ts'],
      ['dynamic-routes/a.ts', 'routes/b.ts'],
      ['run/a.ts', 'programs/b.ts'],
    ] as const) {
      const up = '../'.repeat(from.split('/').length - 1)
      assert.deepEqual(check({ [from]: `import type { A } from '${up}${to}'`, ...target(to) }), [])
    }
  })

  it('refuses circles, within a room too', () => {
    const circle = { 'base/a.ts': "import type { B } from './b.ts'", 'base/b.ts': "import { a } from './a.ts'" }
    assert.deepEqual(check(circle), ['base/a.ts → base/b.ts → base/a.ts'])
  })

  it('refuses the machine outside of adapters, and names the import', () => {
    for (const [path, specifier] of [
      ['workers/pool.ts', 'node:fs'],
      ['certificates/acme/order.ts', 'node:https'],
      ['front/limits.ts', 'express'],
      ['run/start.ts', 'node:os'],
      ['base/adapters/a.ts', 'node:process'],
      ['workers/preload.ts', '../base/log.ts'],
      ['cli/a.ts', '../../app/server.ts'],
    ] as const) {
      const found = check({ [path]: `import x from '${specifier}'`, ...target('base/log.ts') })
      assert.equal(found.length, 1, specifier)
      assert.match(found[0] ?? '', new RegExp(`^${path} imports `))
    }
    assert.deepEqual(check({ 'workers/adapters/a.ts': "import x from 'node:fs'" }), [])
  })

  it('knows the environment and impurity when it sees them', () => {
    for (const code of ['process.env.A', 'process.exit(1)', "process['env']", 'const { env } = process\n']) {
      assert.match(code, environment)
    }
    for (const code of ['process.getuid?.()', 'process.stdout.write("")']) assert.doesNotMatch(code, environment)
    for (const code of [
      'setTimeout(a)',
      'Date.now()',
      'new Date()',
      'Math.random()',
      'console.log(1)',
      'process.kill(1)',
    ]) {
      assert.match(code, impure)
    }
    for (const code of ['new Date(time).toISOString()', 'task.process.kill()', 'clock.setTimeout(a)'])
      assert.doesNotMatch(code, impure)
  })
})
