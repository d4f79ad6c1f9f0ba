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

/** From the top down; imports point down only, or to the same layer. */
const layers = [
  ['main'],
  ['cli'],
  ['supervisor'],
  ['admin'],
  ['services', 'adapters'],
  ['domain'],
  ['config'],
  ['base'],
]
/** The supervisor's own composition root. */
const root = 'supervisor.ts'
/** Programs of their own; nobody imports them. */
const alone = new Set(['worker/preload.ts', 'healthcheck.ts'])

function layerOf(path: string): string | undefined {
  if (path === 'main.ts') return 'main'
  if (path === root || path.startsWith('assembly/')) return 'supervisor'
  const folder = path.split('/').length === 2 ? path.split('/')[0] : undefined
  return layers.flat().find(layer => layer === folder && layer !== 'main' && layer !== 'supervisor')
}

const rankOf = (layer: string) => layers.findIndex(names => names.includes(layer))

/** What is wrong with one import, if anything. */
function judge({ from, to }: Import, sources: Sources): string | undefined {
  const name = `${from} imports ${to}`
  const upper = layerOf(from)
  if (to === 'a computed import') return `${name}, which nobody can check`
  if (!to.endsWith('.ts')) {
    if (upper === 'domain') return `${name}; the domain is pure`
    if (to === 'process' || to === 'node:process') return `${name}; the environment is for main`
    const isInput =
      /^(node:)?(child_process|fs|fs\/promises|net|http|https|tls|dgram|dns|timers|timers\/promises)$/.test(to)
    return upper === 'services' && (isInput || !to.startsWith('node:')) ? `${name}; that is for adapters` : undefined
  }
  if (!sources.has(to)) return `${name}, which is not there or not the supervisor's`
  if (alone.has(to)) return `${name}, which stands alone`
  if (from === 'worker/preload.ts') return `${name}; the preload runs in another's process`
  if (alone.has(from)) return undefined
  const lower = layerOf(to)
  if (upper === undefined || lower === undefined) return `${name}, and one of them is in no layer`
  if (upper === lower || rankOf(upper) < rankOf(lower)) return undefined
  // services declare the interfaces that adapters provide
  return rankOf(upper) === rankOf(lower) ? undefined : `${name}: upward`
}

function violations(sources: Sources): string[] {
  const imports = importsOf(sources)
  return [...imports.flatMap(found => judge(found, sources) ?? []), ...findCircles(imports)]
}

/** Files whose code, comments aside, holds the pattern. */
function holding(sources: Sources, pattern: RegExp): string[] {
  return [...sources].filter(([, text]) => pattern.test(withoutComments(text))).map(([path]) => path)
}

const environment =
  /\bprocess\s*(\??\.|\[)\s*['"]?(env|exit|exitCode|argv|abort|reallyExit)\b|=\s*process\b(?!\s*[.?[])/
const impure =
  /\b(set(Timeout|Interval|Immediate)|queueMicrotask|fetch)\s*\(|\b(process|console|crypto|performance|globalThis)\s*[.?[]|\b(Date\.now|Math\.random)\b|new Date\(\s*\)/

describe('the layers of supervisor/', () => {
  const sources = readSources(join(import.meta.dirname, '../../supervisor'))

  it('places every file in a layer', () => {
    assert.ok(sources.size > 40, `${sources.size} files found`)
    assert.deepEqual(
      [...sources.keys()].filter(path => layerOf(path) === undefined && !alone.has(path)),
      [],
    )
    for (const path of [root, ...alone, 'main.ts']) assert.ok(sources.has(path), `${path} is not there`)
  })

  it('imports downward only, and never in a circle', () => assert.deepEqual(violations(sources), []))

  it('keeps time, chance and the world out of the domain', () => {
    assert.deepEqual(holding(new Map([...sources].filter(([path]) => layerOf(path) === 'domain')), impure), [])
  })

  it('reads the environment and ends the process only in programs', () => {
    assert.deepEqual(holding(sources, environment), ['healthcheck.ts', 'main.ts', 'worker/preload.ts'])
  })
})

describe('the check of the layers', () => {
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
    ['domain/a.ts', 'services/b.ts', 'upward'],
    ['base/a.ts', 'config/b.ts', 'upward'],
    ['config/a.ts', 'domain/b.ts', 'upward'],
    ['admin/a.ts', 'cli/b.ts', 'upward'],
    ['admin/a.ts', 'assembly/b.ts', 'upward'],
    ['supervisor.ts', 'cli/b.ts', 'upward'],
    ['cli/a.ts', 'worker/preload.ts', 'which stands alone'],
    ['other/a.ts', 'base/b.ts', 'in no layer'],
  ]
  for (const [from, to, reason] of wrong) {
    it(`refuses ${from} → ${to}, even for a type`, () => {
      const up = from.includes('/') ? '..' : '.'
      const [first = ''] = check({ [from]: `import type { A } from '${up}/${to}'`, ...target(to) })
      assert.ok(first.startsWith(`${from} imports ${to}`) && first.endsWith(reason), first)
    })
  }

  it('refuses circles, within a layer too', () => {
    const circle = { 'base/a.ts': "import type { B } from './b.ts'", 'base/b.ts': "import { a } from './a.ts'" }
    assert.deepEqual(check(circle), ['base/a.ts → base/b.ts → base/a.ts'])
  })

  it('refuses what is of no business to a layer', () => {
    for (const [path, specifier] of [
      ['domain/a.ts', 'node:path'],
      ['domain/a.ts', 'zod'],
      ['services/a.ts', 'node:fs'],
      ['services/a.ts', 'execa'],
      ['adapters/a.ts', 'node:process'],
      ['worker/preload.ts', '../base/log.ts'],
      ['cli/a.ts', '../../app/server.ts'],
    ] as const) {
      assert.equal(check({ [path]: `import x from '${specifier}'`, ...target('base/log.ts') }).length, 1, specifier)
    }
  })

  it('knows the environment and impurity when it sees them', () => {
    for (const code of ['process.env.A', 'process.exit(1)', "process['env']", 'const { env } = process\n']) {
      assert.match(code, environment)
    }
    for (const code of ['process.getuid?.()', 'process.stdout.write("")']) assert.doesNotMatch(code, environment)
    for (const code of ['setTimeout(a)', 'Date.now()', 'new Date()', 'Math.random()', 'console.log(1)']) {
      assert.match(code, impure)
    }
    assert.doesNotMatch('new Date(time).toISOString()', impure)
  })
})
