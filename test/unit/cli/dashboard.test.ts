import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeAccess } from '../../../supervisor/cli/dashboard.ts'

const socket = '/run/monohull/admin.sock'
const loopback = { address: '127.0.0.1:9114', requiresToken: false, actions: false }

describe('cli/dashboard', () => {
  it('names the address, and the ways to it from elsewhere', () => {
    const text = describeAccess({ admin: loopback, socket, isImage: false })
    assert.match(text, /^status page: +http:\/\/127\.0\.0\.1:9114\/\n/)
    assert.match(text, /^over SSH: +ssh -L 9114:127\.0\.0\.1:9114 SERVER/m)
    assert.match(text, /^in Docker: +set admin\.bind to 0\.0\.0\.0 and a token/m)
    assert.match(text, /^in Kubernetes: +kubectl port-forward POD 9114/m)
    assert.match(text, /^changes: +read-only/m)
  })

  it('in a container that others reach, names the published port', () => {
    const admin = { address: '0.0.0.0:9114', requiresToken: true, actions: true }
    const text = describeAccess({ admin, socket, isImage: true })
    assert.match(text, /^status page: +http:\/\/localhost:9114\/\n/)
    assert.match(text, /^in Docker: +docker run -p 127\.0\.0\.1:9114:9114, then/m)
    assert.match(text, /^token: +the page asks/m)
    assert.match(text, /docker exec NAME monohull status/)
    assert.match(describeAccess({ admin: { ...admin, address: '[::]:9114' }, socket, isImage: true }), /localhost:9114/)
  })

  it('without a port, names the socket and the key', () => {
    const text = describeAccess({ admin: undefined, socket, isImage: false })
    assert.match(text, /ssh -L 9114:\/run\/monohull\/admin\.sock/)
    assert.match(text, /admin: \{ port: 9114 \}/)
    assert.doesNotMatch(describeAccess({ admin: undefined, socket, isImage: true }), /ssh/)
  })
})
