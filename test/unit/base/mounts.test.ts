import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeTransience, fileSystemOf } from '../../../supervisor/base/mounts.ts'

const container = `700 600 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/x
701 700 0:53 / /proc rw,nosuid - proc proc rw
702 700 0:54 / /run rw - tmpfs tmpfs rw
703 700 254:1 /volumes/state /var/lib/monohull rw,relatime - ext4 /dev/vda1 rw
`

describe('base/mounts', () => {
  const cases: [string, string | undefined][] = [
    ['/var/lib/monohull', undefined],
    ['/var/lib/monohull/acme', undefined],
    ['/var/lib/monohull-other', "is in the container's own layer"],
    ['/srv', "is in the container's own layer"],
    ['/run/state', 'is in memory'],
  ]
  for (const [directory, expected] of cases) {
    it(`${directory}: ${expected ?? 'persists'}`, () =>
      assert.equal(describeTransience(directory, container), expected))
  }

  it('uses the later of two mounts at the same point', () => {
    const twice = `${container}704 703 0:60 / /var/lib/monohull rw - tmpfs tmpfs rw\n`
    assert.equal(describeTransience('/var/lib/monohull', twice), 'is in memory')
  })

  it('reports nothing on a machine without containers', () =>
    assert.equal(describeTransience('/var/lib/monohull', '1 0 8:1 / / rw - ext4 /dev/sda1 rw\n'), undefined))

  const holders: [string, string | undefined][] = [
    ['/srv/a volume', 'ext4'],
    ['/srv/a volume/below', 'ext4'],
    ['/srv/a', 'overlay'],
    ['/app/public', 'overlay'],
    ['/app', undefined],
    ['/', undefined],
    ['/run', 'tmpfs'],
  ]
  const volumes = `${container}704 700 254:1 /volumes/x /srv/a\\040volume rw - ext4 /dev/vda1 rw
705 700 254:1 /volumes/y /app/uploads rw - ext4 /dev/vda1 rw
`
  for (const [directory, expected] of holders) {
    it(`the tree of ${directory} is on ${expected ?? 'more than one file system'}`, () =>
      assert.equal(fileSystemOf(directory, volumes), expected))
  }
})
