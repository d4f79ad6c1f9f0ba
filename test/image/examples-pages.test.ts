// needs: docker-compose openssl
// before a release: three minutes of a core; what they show is tested in the other files of examples too
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { pagesForUsers } from '../markdown.ts'
import { ask } from './ask.ts'
import { startProject } from './compose.ts'
import { buildFrom, repository, startContainer, until } from './docker.ts'

const timeout = 400_000

/** The commands of each page, a list for each block. */
const pages = new Map(
  pagesForUsers().flatMap(({ path, code }) => {
    const example = /^examples\/([^/]+)\/README\.md$/.exec(path)?.[1]
    const blocks = code.filter(({ language, text }) => language === 'sh' && text.includes('docker '))
    return example ? [[example, blocks.map(({ text }) => commandsIn(text))] as const] : []
  }),
)

describe('the commands on the pages of examples/, as they are printed', () => {
  for (const [example, blocks] of pages) {
    for (const commands of blocks) {
      // its base image is in a registry only
      // a base image in a registry; a CA on the internet
      if (example === 'go' || example === 'ip-certificate') continue
      const isCompose = commands[0]?.startsWith('docker compose')
      it(`${example}: ${isCompose ? 'docker compose' : 'docker run'}`, { timeout }, async t => {
        const started = isCompose ? await startComposed(t, example) : await startSingle(t, example, commands)
        for (const command of commands) {
          if (command.startsWith('curl ')) await seeAnswer(command, started.originOf)
          else if (execution.test(command)) await started.execute(wordsOf(command.replace(execution, '')))
        }
      })
    }
  }

  it('are there for every example', () => {
    assert.ok(pages.size > 10)
    for (const [example, blocks] of pages) assert.ok(blocks.length > 0, example)
  })
})

/** Gives the origin on the host of what a page calls an origin of localhost. */
type OriginOf = (printed: URL) => Promise<string>

/** What a page has started. */
interface Started {
  originOf: OriginOf
  /** Runs a command in a container; with compose, its first word is the service. */
  execute(words: string[]): Promise<unknown>
}

/** What runs a command in a container that is named before, or, with compose, next. */
const execution = /^docker (exec \S+|compose exec) /

async function startComposed(t: TestContext, example: string): Promise<Started> {
  const file = readFileSync(`${repository}examples/${example}/compose.yaml`, 'utf8')
  const [, outer, inner] = /ports: \["(\d+):(\d+)"\]/.exec(file) ?? assert.fail('no port')
  const { compose, origin } = await startProject(t, example)
  return {
    originOf(printed) {
      assert.equal(printed.port, outer)
      return origin(Number(inner))
    },
    // a container may still be starting
    execute: words =>
      until(words.join(' '), () =>
        compose('exec', '-T', ...words).then(
          () => true,
          () => false,
        ),
      ),
  }
}

async function startSingle(t: TestContext, example: string, commands: string[]): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'monohull-example-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(`${repository}examples/${example}`, folder, { recursive: true })
  const images = new Map<string, string>()
  let started: Started | undefined
  for (const command of commands) {
    const [program, what, ...words] = command.replaceAll('"', '').replace('$PWD', folder).split(/\s+/)
    const last = words.at(-1) ?? ''
    if (program === 'curl' || execution.test(command)) continue
    if (program !== 'docker') execFileSync('sh', ['-c', command], { cwd: folder, stdio: 'pipe' })
    else if (what === 'run') started = await run(t, images.get(last) ?? assert.fail(`${last} is not built`), words)
    else {
      const [, options = '', name = ''] = /^docker build (.*)-t (\S+) \.$/.exec(command) ?? assert.fail(command)
      const tag = `monohull-page:${name}-${process.pid}`
      images.set(name, await buildFrom(t, folder, { tag, options: options.split(' ').filter(Boolean) }))
    }
  }
  return started ?? assert.fail('nothing runs')
}

/** docker run with the options of a page, its ports on free ones. */
async function run(t: TestContext, image: string, words: string[]): Promise<Started> {
  const ports = new Map<string, number>()
  const args: string[] = []
  const options = words.slice(0, -1).filter(word => word !== '--rm')
  for (let index = 0; index < options.length; index += 2) {
    const [option = '', value = ''] = options.slice(index, index + 2)
    const [outer = '', inner] = value.split(':')
    if (option === '-p') ports.set(outer, Number(inner))
    else if (option !== '--name') args.push(option, value)
  }
  const [httpPort, httpsPort] = ports.values()
  const container = await startContainer(t, {
    image,
    args,
    ...(httpPort ? { httpPort } : {}),
    ...(httpsPort ? { httpsPort } : {}),
  })
  return {
    originOf(printed) {
      const isSecure = printed.protocol === 'https:'
      assert.equal(ports.get(printed.port || (isSecure ? '443' : '80')), isSecure ? httpsPort : httpPort)
      return isSecure ? container.https() : container.http()
    },
    async execute(words) {
      const { code, stderr } = await container.exec(...words)
      assert.equal(code, 0, stderr)
    },
  }
}

/** Words of a command, with what stands in quotes as one. */
function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** Asks as curl would, and compares with what stands behind it: `# {"app":"…"}`, or another status than 200. */
async function seeAnswer(command: string, originOf: OriginOf): Promise<void> {
  const [, address = '', remark = ''] = /(https?:\/\/\S+|localhost:\d+\S*)(?:\s+# (.*))?$/.exec(command) ?? []
  const printed = new URL(address.startsWith('http') ? address : `http://${address}`)
  const origin = await originOf(printed)
  const host = /-H 'Host: (\S+)'/.exec(command)?.[1] ?? printed.host
  const status = Number(/^\d{3}$/.exec(remark)?.[0] ?? 200)
  const answer = await until(`an answer to ${command}`, async () => {
    // Docker's proxy resets connections until something listens in the container
    const answered = await ask(`${origin}${printed.pathname}`, { headers: { host } }).catch(() => undefined)
    return answered?.status === status && { body: answered.body }
  })
  const shown = /^\{.*?\}(?=,? |$)/.exec(remark)?.[0]
  if (shown) assert.match(answer.body.trim(), patternOf(shown), command)
}

/** `…` stands for anything, and so do numbers. */
function patternOf(shown: string): RegExp {
  const literal = shown.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll('…', '.*').replaceAll(/\d+/g, '\\d+')}$`)
}

/** A command may go on in the next line. */
function commandsIn(block: string): string[] {
  return block
    .trim()
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
}
