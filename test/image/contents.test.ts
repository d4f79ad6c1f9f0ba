import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { docker, image, repository, runToEnd } from './docker.ts'

/** What a shell in the image prints; the script's own exit code does not matter, that it ran does. */
async function inImage(script: string): Promise<string> {
  const { code, stdout, stderr } = await runToEnd([], ['sh', '-c', `${script}; true`])
  assert.equal(code, 0, stderr)
  return stdout.trim()
}

/** Most bytes of the files below a directory. */
const mostBytes = { '/opt/monohull': 4e6, '/opt/monohull/dist/cache': 8e5, '/opt/monohull/nginx': 2e5 }

/** What Node says about the compile cache when app runs the program. */
const cacheUse = `NODE_DEBUG_NATIVE=COMPILE_CACHE setpriv --reuid app --regid app --clear-groups \
  node /opt/monohull/dist/launcher.cjs version 2>&1 | grep 'monohull\\.cjs was'`

describe('what is in the image', () => {
  it('is built from this tree by docker build', async () => {
    const built = await docker(['build', '--quiet', '--label', 'monohull.test=image', repository])
    assert.equal(built, await docker(['inspect', '--format', '{{.Id}}', image]))
  })

  it('leaves out node_modules, tsx, TypeScript and the sources', async () => {
    const found = await inImage(
      "find / -xdev \\( -path /proc -o -path /usr/local/lib/node_modules/npm \\) -prune -o \\( -name node_modules -o -name tsx -o -name 'typescript*' -o -name rolldown -o -name '*.ts' \\) -print",
    )
    assert.deepEqual(
      found.split('\n').filter(path => path !== '' && path !== '/usr/local/lib/node_modules'),
      [],
    )
  })

  it('holds no private key, and nothing of a run', async () => {
    assert.equal(
      await inImage('grep -rlsE "^-----BEGIN ([A-Z]+ )?PRIVATE KEY-----$" /opt /run /var /tmp /root /certs /app /home'),
      '',
    )
    assert.equal(
      await inImage('find /tmp /run/monohull /var/lib/monohull /certs /app /var/lib/apt/lists -mindepth 1 2>/dev/null'),
      '',
    )
  })

  it('has a compile cache for root and for app, which they cannot write to', async () => {
    assert.match(await inImage('ls /opt/monohull/dist/cache'), /^nginx\.json\nv\S+-0\nv\S+-10001$/)
    assert.match(await inImage(cacheUse), /accepted/)
    assert.equal(await inImage('find /opt/monohull ! -user root -o -perm /022 ! -type l'), '')
  })

  for (const [directory, most] of Object.entries(mostBytes))
    it(`has at most ${most / 1e6} MB below ${directory}`, async () => {
      const files = await inImage(`find ${directory} -type f -printf '%s %P\\n' | sort -rn`)
      const bytes = files.split('\n').reduce((sum, file) => sum + Number.parseInt(file, 10), 0)
      assert.ok(bytes > 0 && bytes <= most, `${bytes} bytes:\n${files}`)
    })

  it('has Express once, with its table of media types', async () => {
    const files = await inImage('grep --recursive --files-with-matches --include="*.cjs" vnd.lotus-notes /opt/monohull')
    assert.match(files, /^\/opt\/monohull\/dist\/express-[^\n]+$/)
  })

  it('has npm, for the apps built on it', async () => {
    assert.match((await runToEnd([], ['npm', '--version'])).stdout, /^\d+\./)
  })

  it('has /app for the app, which cannot write there, and /run for anybody', async () => {
    assert.equal(await inImage('stat -c "%U %a" /app /run; id -u app; pwd'), 'root 755\nroot 1777\n10001\n/app')
  })

  it('says what it is', async () => {
    const config = JSON.parse(await docker(['inspect', '--format', '{{json .Config}}', image]))
    const { version } = JSON.parse(readFileSync(`${repository}package.json`, 'utf8'))
    assert.equal(config.Labels['org.opencontainers.image.title'], 'monohull')
    assert.equal(config.Labels['org.opencontainers.image.licenses'], 'MIT')
    assert.equal(config.Labels['org.opencontainers.image.version'], version)
    assert.equal(config.StopSignal, 'SIGTERM')
    assert.deepEqual(Object.keys(config.ExposedPorts), ['443/tcp', '443/udp', '80/tcp'])
    assert.deepEqual(config.Entrypoint, ['/opt/monohull/start.sh'])
    assert.deepEqual(config.Cmd, ['monohull', 'run'])
    assert.equal(config.Healthcheck.Test[0], 'CMD')
  })
})
