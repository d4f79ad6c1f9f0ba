import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { buildDerived, type Container, docker, runToEnd, startContainer, until } from './docker.ts'

const folder = mkdtempSync(join(tmpdir(), 'monohull-alone-'))
after(() => rmSync(folder, { recursive: true }))

/** Variables of the contract. */
const ours = /^(MONOHULL_\w+|USER|LOGNAME)=/

/** What a process was given. */
async function given(container: Container, pid: number) {
  const read = async (file: string) => docker(['exec', '--user', 'app', container.id, 'cat', `/proc/${pid}/${file}`])
  const status = (await read('status')).split('\n')
  return {
    environment: (await read('environ'))
      .split('\0')
      .filter(entry => entry !== '' && !ours.test(entry))
      .sort(),
    limits: (await read('limits')).split('\n'),
    status: status.filter(line =>
      /^(Umask|Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap(Inh|Prm|Eff|Amb)|Sig(Blk|Ign)):/.test(line),
    ),
    directory: await docker(['exec', '--user', 'app', container.id, 'readlink', `/proc/${pid}/cwd`]),
  }
}

async function pidOf(container: Container, program: string): Promise<number> {
  const find = ['exec', container.id, 'sh', '-c', `grep -lx ${program} /proc/[0-9]*/comm | head -n 1 | cut -d/ -f3`]
  return until(`${program} to run`, async () => Number(await docker(find)))
}

describe('a program in the image', () => {
  it('has what the same command has under docker run -u', async t => {
    const derived = await buildDerived(t, 'shared-group')
    writeFileSync(join(folder, 'monohull.yaml'), 'processes: { other: { command: [sleep, "600"] } }\n')
    const args = [
      ...['--group-add', '5555', '--hostname', 'box'],
      ...['--ulimit', 'nofile=700:4000', '--ulimit', 'core=0:0'],
      ...[
        'a.b=1',
        'my-var=2',
        'Logging__Level=x y',
        'UNICODE=ü',
        'IFS=,',
        'OPTIND=7',
        'PERL5OPT=-Mnone',
        'LC_ALL=xx_YY',
        'NODE_OPTIONS=--no-deprecation',
        'NODE_PATH=/p',
      ].flatMap(variable => ['--env', variable]),
      ...['--volume', `${join(folder, 'monohull.yaml')}:/app/monohull.yaml:ro`],
    ]
    const container = await startContainer(t, { image: derived, args })
    const alone = await startContainer(t, {
      image: derived,
      args: [...args, '--user', 'app', '--entrypoint', 'sleep'],
      command: ['600'],
      waits: false,
    })
    const expected = await given(alone, await pidOf(alone, 'sleep'))
    assert.deepEqual(await given(container, await pidOf(container, 'sleep')), expected)
    assert.ok(expected.status.some(line => /^Groups:.*\b4242 5555\b/.test(line)))
  })

  it('opens its output by path, also as app, and in any command', async t => {
    const container = await startContainer(t, {
      command: [
        'monohull',
        'run',
        'sh',
        '-c',
        'echo by path >/dev/stdout && echo err by path >>/dev/stderr; exec node -e "require(\'http\').createServer((q, s) => s.end()).listen(3000)"',
      ],
    })
    await until('both lines', async () =>
      /stdout\| by path\n[\s\S]*stderr\| err by path\n|stderr\| err by path\n[\s\S]*stdout\| by path\n/.test(
        await container.logs(),
      ),
    )
  })

  it('that is not of monohull gets every variable too', async () => {
    const { stdout } = await runToEnd(
      ['--env', 'a.b=1', '--env', 'NODE_PATH=/p'],
      ['node', '-p', 'process.env["a.b"] + process.env.NODE_PATH'],
    )
    assert.equal(stdout, '1/p\n')
  })
})
