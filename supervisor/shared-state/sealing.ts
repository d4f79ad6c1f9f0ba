import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { SharedState } from './state.ts'

const nonceBytes = 12
const tagBytes = 16

interface Key {
  id: string
  bytes: Buffer
}

/**
 * Seals texts with AES-256-GCM. `secrets`: secrets with spaces or line breaks between them; the first seals, each of them opens. The name of the record is
 * authenticated, so that no sealed text can take the place of another.
 */
export function createSealing(secrets: string | undefined): Pick<SharedState, 'seal' | 'unseal'> {
  const keys = (secrets ?? '')
    .split(/\s+/)
    .filter(secret => secret !== '')
    .map(keyOf)
  const [first] = keys
  return {
    seal(name, text) {
      if (!first) throw new Error('shared_state.secret is not set')
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', first.bytes, nonce).setAAD(Buffer.from(name))
      const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return `1.${first.id}.${Buffer.concat([nonce, encrypted, cipher.getAuthTag()]).toString('base64url')}`
    },
    unseal(name, sealed) {
      const [, id, content] = /^1\.([0-9a-f]+)\.([\w-]+)$/.exec(sealed) ?? []
      if (id === undefined || content === undefined) throw new Error(`the record ${name} is not sealed`)
      const key = keys.find(one => one.id === id)
      if (!key) throw new Error(`the record ${name} is sealed with a secret (${id}) that shared_state.secret lacks`)
      const bytes = Buffer.from(content, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      })
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-tagBytes))
      try {
        return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw new Error(`the record ${name} is damaged or was sealed for another name`, { cause: error })
      }
    },
  }
}

/** The id tells which secret opens a text, and nothing about it. */
function keyOf(secret: string): Key {
  const derive = (purpose: string, bytes: number) =>
    Buffer.from(hkdfSync('sha256', secret, '', `monohull shared state: ${purpose}`, bytes))
  return { id: derive('id', 4).toString('hex'), bytes: derive('key', 32) }
}
