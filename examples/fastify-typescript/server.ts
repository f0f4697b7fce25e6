import fastify from 'fastify'

interface Greeting {
  readonly hello: string
  readonly process: number
}

const app = fastify()

app.get('/', (): Greeting => ({ hello: 'world', process: process.pid }))

await app.listen({ host: '0.0.0.0', port: Number(process.env['PORT'] ?? 3000) })
