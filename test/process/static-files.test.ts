import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { Agent } from 'node:http'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { childrenOf } from '../../supervisor/processes/adapters/procfs.ts'
import { defer, type Monohull, needsRoot, startMonohull, temporaryFolder, until } from './monohull.ts'

/** A folder on a file system of its own, whatever temporary files are on. */
function ownDisk(t: TestContext, files: Record<string, string> = {}): string {
  const folder = temporaryFolder(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'monohull-test', folder])
  defer(t, () => execFileSync('umount', [folder]))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** A folder of the kind that a container's files lie in: an image's layer, and one above it to write into. */
function ownLayer(t: TestContext, files: Record<string, string>): string {
  // an overlay has none beneath
  const folder = ownDisk(t)
  const [image, upper, work, merged] = ['image', 'upper', 'work', 'merged'].map(name => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ]
  for (const path of [image, upper, work, merged]) mkdirSync(path)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(image, name), text)
  const layers = `lowerdir=${image},upperdir=${upper},workdir=${work}`
  execFileSync('mount', ['-t', 'overlay', 'monohull-test', '-o', layers, merged])
  defer(t, () => execFileSync('umount', [merged]))
  return merged
}

async function serve(t: TestContext, root: string, args = ['run']): Promise<Monohull> {
  const config = `https: off\ncompression: off\nroutes: [{ files: { root: ${root} } }]\n`
  const monohull = startMonohull(t, { files: { 'monohull.yaml': config }, args })
  await monohull.serving()
  return monohull
}

/** Whether one of nginx's workers holds the file open between two requests. */
function isOpen(monohull: Monohull, path: string): boolean {
  return childrenOf(monohull.nginx()).some(pid =>
    readdirSync(`/proc/${pid}/fd`).some(descriptor => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${descriptor}`) === path
      } catch {
        return false // closed since
      }
    }),
  )
}

/** Asks for the page again and again until it is as wanted; each answer on the way has to be one of those allowed. */
async function untilAnswered(monohull: Monohull, wanted: string, allowed: readonly string[]): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    await until(`the answer ${wanted}`, async () => {
      const { status, body } = await monohull.request({ path: '/page.txt', agent })
      const answer = status === 200 ? body : String(status)
      assert.ok([wanted, ...allowed].includes(answer), `answered ${JSON.stringify(answer)}`)
      return answer === wanted
    })
  } finally {
    agent.destroy()
  }
}

describe('static files in the container’s own layer', { skip: needsRoot }, () => {
  async function serveOpen(t: TestContext): Promise<{ monohull: Monohull; page: string; root: string }> {
    const root = ownLayer(t, { 'page.txt': 'as it was' })
    const monohull = await serve(t, root)
    const page = join(root, 'page.txt')
    await until('nginx to keep the page open', async () => {
      assert.equal((await monohull.request({ path: '/page.txt' })).body, 'as it was')
      return isOpen(monohull, page)
    })
    return { monohull, page, root }
  }

  it('stay open, and are replaced without a failed request', async t => {
    const { monohull, page } = await serveOpen(t)
    writeFileSync(`${page}.new`, 'another and longer one')
    renameSync(`${page}.new`, page)
    await untilAnswered(monohull, 'another and longer one', ['as it was'])
  })

  it('are gone once they are deleted', async t => {
    const { monohull, page } = await serveOpen(t)
    unlinkSync(page)
    await untilAnswered(monohull, '404', ['as it was'])
  })

  it('do not become what a symbolic link in their place leads to', async t => {
    const { monohull, page } = await serveOpen(t)
    symlinkSync('/etc/passwd', `${page}.new`)
    renameSync(`${page}.new`, page)
    await untilAnswered(monohull, '403', ['as it was'])
  })

  it('are whole again after they were written in place', async t => {
    const { monohull, page } = await serveOpen(t)
    writeFileSync(page, 'as it is now, and longer')
    await untilAnswered(monohull, 'as it is now, and longer', ['as it was', 'as it is '])
  })
})

describe('static files in development', { skip: needsRoot }, () => {
  it('are opened for each request, wherever they lie', async t => {
    const root = ownLayer(t, { 'page.txt': 'as it was' })
    const monohull = await serve(t, root, ['dev'])
    for (const text of ['as it is', 'as it is now, and longer', 'short']) {
      for (let count = 0; count < 5; count++) await monohull.request({ path: '/page.txt' })
      writeFileSync(join(root, 'page.txt'), text)
      assert.equal((await monohull.request({ path: '/page.txt' })).body, text)
    }
  })
})

/** Each answer is what was written just before. */
async function expectFresh(monohull: Monohull, page: string): Promise<void> {
  const write = { 'in place': writeFileSync, 'by renaming': replaceFile }
  for (const text of ['as it is', 'as it is now, and longer', 'short']) {
    for (const [how, writeAnew] of Object.entries(write)) {
      for (let count = 0; count < 5; count++) await monohull.request({ path: '/page.txt' })
      writeAnew(page, `${text}, ${how}`)
      assert.equal((await monohull.request({ path: '/page.txt' })).body, `${text}, ${how}`)
    }
  }
  unlinkSync(page)
  assert.equal((await monohull.request({ path: '/page.txt' })).status, 404)
}

function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

function renderedSite(monohull: Monohull): string {
  return readFileSync(join(monohull.folder, 'run/nginx/current/rendered/site.conf'), 'utf8')
}

describe('static files on a disk', { skip: needsRoot, concurrency: 3 }, () => {
  it('stay open where no program may write, and are looked at with each request', async t => {
    const folder = ownDisk(t, { 'page.txt': 'as it was' })
    const monohull = await serve(t, folder)
    assert.doesNotMatch(renderedSite(monohull), /disable_symlinks/)
    await until('nginx to keep the page open', async () => {
      assert.equal((await monohull.request({ path: '/page.txt' })).body, 'as it was')
      return isOpen(monohull, join(folder, 'page.txt'))
    })
    await expectFresh(monohull, join(folder, 'page.txt'))
  })

  it('are opened for each request where a program may write', async t => {
    const folder = ownDisk(t, { 'page.txt': 'as it was' })
    chmodSync(folder, 0o777)
    const monohull = await serve(t, folder)
    await expectFresh(monohull, join(folder, 'page.txt'))
    symlinkSync('/etc/passwd', join(folder, 'link.txt'))
    assert.equal((await monohull.request({ path: '/link.txt' })).status, 403)
  })

  for (const [what, open] of [
    ['an operator made', (folder: string) => symlinkSync('/etc/passwd', join(folder, 'sub/link.txt'))],
    [
      'a program may make by now',
      (folder: string) => {
        chmodSync(join(folder, 'sub'), 0o777)
        symlinkSync('/etc/passwd', join(folder, 'sub/link.txt'))
      },
    ],
  ] as const) {
    it(`do not become what a link leads to that ${what}, without a reload`, async t => {
      const folder = ownDisk(t, { 'sub/page.txt': 'as it was' })
      const monohull = await serve(t, folder)
      assert.doesNotMatch(renderedSite(monohull), /disable_symlinks/)
      open(folder)
      await monohull.seen(new RegExp(`nginx checks for them directories=${folder}`))
      await until('the link to be refused', async () => {
        return (await monohull.request({ path: '/sub/link.txt' })).status === 403
      })
      assert.equal((await monohull.request({ path: '/sub/page.txt' })).body, 'as it was')
    })
  }
})

describe('static files elsewhere', () => {
  it('are looked for beside compressed ones from the next reload on', async t => {
    const page = 'as it was written '.repeat(100)
    const folder = temporaryFolder(t, { 'page.txt': page })
    const monohull = await serve(t, folder)
    const encodingOf = async (accepted: string) => {
      const { status, headers } = await monohull.request({
        path: '/page.txt',
        headers: { 'accept-encoding': accepted },
      })
      assert.equal(status, 200)
      return headers['content-encoding']
    }
    assert.doesNotMatch(renderedSite(monohull), /gzip_static|brotli_static/)
    assert.equal(await encodingOf('gzip'), undefined)
    writeFileSync(join(folder, 'page.txt.gz'), gzipSync(page))
    monohull.signal('SIGHUP')
    await monohull.seen(/reload finished/)
    assert.equal(await encodingOf('gzip'), 'gzip')
    assert.equal(await encodingOf('identity'), undefined)
    assert.doesNotMatch(renderedSite(monohull), /brotli_static/)
  })
})
