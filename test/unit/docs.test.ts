import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { isSetting } from '../../supervisor/config/variables.ts'
import { fixedKeys } from '../../supervisor/run/reload.ts'
import { loadConfig, namedScalarKeys, scalarKeys } from '../../supervisor/site/config.ts'
import { jsonSchema } from '../../tools/reference/json-schema.ts'
import { pagesForUsers } from '../markdown.ts'
import { noSources, yaml } from './site/load-config.ts'

const home = join(import.meta.dirname, '../..')
const pages = pagesForUsers()
const code = pages.flatMap(page => page.code)

describe('the configurations that the docs show', () => {
  const blocks = code.filter(({ language, text }) => language === 'yaml' && !text.startsWith('apiVersion:'))

  it('are accepted, each as it stands', () => {
    assert.ok(blocks.length > 20)
    for (const { at, text } of blocks) {
      const result = loadConfig({ ...noSources, ...yaml(text) })
      assert.ok(result.ok, `${at}: ${JSON.stringify(result)}`)
    }
  })

  it('and those in the text are of keys that exist', () => {
    const known = keysIn(jsonSchema())
    const names = new Set([...blocks.flatMap(({ text }) => namesIn(parse(text))), ...namesOfOthers])
    for (const { at, language, text } of code) {
      const [, words = ''] = /^([a-z][a-z0-9_.]*): /.exec(language === undefined ? text : '') ?? []
      const unknown = words.split('.').filter(word => word && !known.has(word) && !names.has(word))
      assert.deepEqual(unknown, [], `${at}: ${text}`)
    }
  })

  it('are set by variables that exist', () => {
    const named = namedScalarKeys({ apps: { api: {} }, jobs: { dump: {} } })
    const settings = new Set([...scalarKeys(), ...named].map(({ variable }) => variable))
    for (const { path, prose, code } of pages) {
      const text = [prose, ...code.map(block => block.text)].join('\n')
      for (const [variable] of text.matchAll(/MONOHULL(_[A-Z0-9]+)+/g)) {
        const isKnown = settings.has(variable.replace(/_FILE$/, '')) || !isSetting(variable) || isTold(variable)
        assert.ok(isKnown, `${path}: ${variable}`)
      }
    }
  })
})

describe('the commands that the docs show', () => {
  const commands = code.flatMap(({ at, language, text }) =>
    (language === undefined ? [text] : text.split('\n')).flatMap(line => {
      const words = /(?:^|\s)(?:monohull|\S*start\.sh) ([a-z].*)/.exec(line.replace(/ +#.*/, ''))?.[1]
      const isCommand = language === 'sh' || (language === undefined && /^(\.|monohull |docker )/.test(text))
      return isCommand && words && !words.endsWith('…') ? [{ at, words: words.replace(/[[\]]/g, '').split(' ') }] : []
    }),
  )
  const images = code.flatMap(({ at, language, text }) =>
    [...text.matchAll(/^CMD \["monohull", (.*)\]$/gm)].map(({ 1: words }) => {
      assert.equal(language, 'dockerfile', at)
      return { at, words: JSON.parse(`[${words}]`) as string[] }
    }),
  )
  const reference = readFileSync(join(home, 'docs/reference/cli.md'), 'utf8')
  const helpTo = new Map(
    [...reference.matchAll(/^Usage: monohull (\w+)[| ][\s\S]*?^```/gm)].map(({ 0: text, 1: name }) => [name, text]),
  )
  const runHelp = helpTo.get('run') ?? assert.fail('no help to run')
  for (const name of ['dev', 'check', 'doctor', 'render']) helpTo.set(name, runHelp)

  it('exist, with their actions and flags', () => {
    assert.ok(commands.length > 50 && images.length > 3)
    for (const { at, words } of [...commands, ...images]) {
      const [name, ...others] = words
      const help = helpTo.get(name) ?? (name === 'version' || name === 'help' ? '' : undefined)
      assert.ok(help !== undefined, `${at}: monohull ${words.join(' ')}`)
      const { 1: choices } = /\(choices: ([^)]*)\)/.exec(help) ?? []
      const mayBeLeftOut = others.length === 0 && help.includes(' [action]')
      if (choices !== undefined && !mayBeLeftOut)
        assert.ok(choices.includes(`"${others[0]}"`), `${at}: monohull ${words.join(' ')}`)
      for (const flag of ownFlags(others, help === runHelp)) {
        assert.match(help, new RegExp(`^ {2}${flag}\\b`, 'm'), `${at}: monohull ${words.join(' ')}`)
      }
    }
  })

  it('are told of in the reference, all of them', () => {
    const list = /^Start:\n[\s\S]*?^Exit codes/m.exec(reference)?.[0] ?? assert.fail('no list of commands')
    const all = [...list.matchAll(/^ {2}(\w+)[| ]/gm)].map(([, name]) => name)
    assert.ok(all.length > 10)
    const without = all.filter(name => !helpTo.has(name))
    assert.deepEqual(without, ['version', 'help'])
  })
})

describe('operations.md', () => {
  const text = readFileSync(join(home, 'docs/guide/operations.md'), 'utf8')

  it('names each key that needs a restart', () => {
    const [, keys = ''] = /^(`http_port`.*) need a restart/m.exec(text) ?? []
    assert.deepEqual(
      [...keys.matchAll(/`(\w+)`(?! *\))/g)].map(([, key]) => key).filter(key => key !== 'allow'),
      [...fixedKeys],
    )
  })

  it('names each command for a running instance', () => {
    const reference = readFileSync(join(home, 'docs/reference/cli.md'), 'utf8')
    const [, listed = ''] = /^Look at the instance[^\n]*\n([\s\S]*?)\nOther:/m.exec(reference) ?? []
    const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name ?? '')
    assert.ok(commands.length > 15)
    const [, table = ''] = /^## Commands for a running instance\n([\s\S]*?)\n## /m.exec(text) ?? []
    const missing = commands.filter(name => !new RegExp(`^\\| [^|]*\`(monohull )?${name}\\b`, 'm').test(table))
    assert.deepEqual(missing, [])
  })
})

describe('the links in the docs', () => {
  it('lead to files and headings that are there', () => {
    for (const { path, prose } of pages) {
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue
        const [file = '', heading] = target.split('#')
        const place = file === '' ? path : join(dirname(path), file)
        assert.ok(existsSync(join(home, place)), `${path}: ${target}`)
        if (heading !== undefined) assert.ok(headingsOf(place).has(heading), `${path}: ${target}`)
      }
    }
  })
})

/** Keys of Next.js and socket.io, a file's name in a message, and an app's. */
const namesOfOthers = ['output', 'transports', 'monohull', 'yml', 'docs']

/** Every property that a schema has anywhere. */
function keysIn(schema: unknown): Set<string> {
  const keys = new Set<string>()
  const collect = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys((node as { properties?: object }).properties ?? {})) keys.add(key)
    for (const child of Object.values(node)) collect(child)
  }
  collect(schema)
  return keys
}

/** The names that a configuration gives itself. */
function namesIn({ apps, processes, jobs, upstreams }: Record<string, object | undefined>): string[] {
  return [apps, processes, jobs, upstreams].flatMap(section => Object.keys(section ?? {}))
}

/** Whether monohull tells it to programs that it starts. */
function isTold(variable: string): boolean {
  return told.some(source => source.includes(variable))
}

const told = ['processes/environment', 'programs/hook', 'programs/jobs/leftovers'].map(name =>
  readFileSync(join(home, `supervisor/${name}.ts`), 'utf8'),
)

/** Flags before the app's own command, or all where there is none. */
function ownFlags(words: string[], isBeforeCommand: boolean): string[] {
  const end = isBeforeCommand ? words.findIndex((word, index) => index % 2 === 0 && !word.startsWith('--')) : -1
  return words.slice(0, end === -1 ? undefined : end).filter(word => word.startsWith('--'))
}

/** As GitHub makes anchors of headings. */
function headingsOf(path: string): Set<string> {
  const text = readFileSync(join(home, path), 'utf8').replace(/^```[\s\S]*?^```$/gm, '')
  const anchor = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  return new Set([...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading)))
}
