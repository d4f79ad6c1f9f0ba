import { execFile, execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { defer } from './monohull.ts'

const run = promisify(execFile)
const ip = async (...words: string[]) => void (await run('ip', words))

/** Why tests with networks of their own are skipped, if they are; on CI that would be a failure. */
export const withoutNetworks = !process.env.CI && findObstacle()

function findObstacle(): string | false {
  if (process.getuid?.() !== 0) return 'only root can create network namespaces'
  const name = `monohull-probe-${process.pid}`
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'ignore' })
  } catch {
    return 'the kernel or this container allows no network namespaces'
  }
  try {
    execFileSync('ip', ['netns', 'exec', name, 'iptables', '-A', 'INPUT', '-j', 'DROP'], { stdio: 'ignore' })
    return false
  } catch {
    return 'the kernel has no iptables'
  } finally {
    execFileSync('ip', ['netns', 'del', name])
  }
}

/** Cable between this machine and a network. */
export interface Cable {
  /** Address of the network's end. */
  address: string
  /** Has every packet vanish, in both directions, and without a reset. */
  cut(): Promise<void>
  restore(): Promise<void>
}

/** Network of a machine elsewhere. */
export interface Network {
  /** Words before a program: they become it, on that machine. */
  through: string[]
  connect(): Promise<Cable>
}

/** A network namespace, with an address for each of those who are to be cut off from it one by one. */
export async function createNetwork(t: TestContext): Promise<Network> {
  const name = `monohull-${process.pid}-${randomInt(10_000)}`
  await ip('netns', 'add', name)
  defer(t, () => ip('netns', 'del', name))
  const inside = ['netns', 'exec', name]
  await ip(...inside, 'ip', 'link', 'set', 'lo', 'up')

  async function connect(): Promise<Cable> {
    const number = randomInt(32_768)
    // 198.18.0.0/15, which is for tests of networks (RFC 2544), in parts of four addresses
    const at = (last: number) => `198.${18 + (number >> 14)}.${(number >> 6) & 255}.${((number & 63) << 2) + last}`
    const [here, there] = [`mh${number}a`, `mh${number}b`]
    await ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', name)
    await ip('addr', 'add', `${at(1)}/30`, 'dev', here)
    await ip('link', 'set', here, 'up')
    await ip(...inside, 'ip', 'addr', 'add', `${at(2)}/30`, 'dev', there)
    await ip(...inside, 'ip', 'link', 'set', there, 'up')
    const filter = (action: string) =>
      Promise.all(
        [
          ['INPUT', '-i'],
          ['OUTPUT', '-o'],
        ].map(([chain = '', side = '']) => ip(...inside, 'iptables', '-w', action, chain, side, there, '-j', 'DROP')),
      )
    return {
      address: at(2),
      cut: async () => void (await filter('-I')),
      restore: async () => void (await filter('-D')),
    }
  }

  return { through: ['ip', ...inside], connect }
}
