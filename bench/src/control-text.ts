// One answer of the control API as text, over a connection of the caller's choice.

import http from 'node:http'

export function controlText(socketPath: string, path: string, agent?: http.Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath, path, agent: agent ?? false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
    })
    request.on('error', reject)
  })
}
