export default {
  name: 'web',
  script: './releases/1/server.js',
  workers: 2,
  port: 3000,
  // What a release must answer, each worker of it, before anybody outside can reach it.
  smoke: { http: '/', status: 200 },
  // How long it is watched once it serves, and how long the one before stays warm after that.
  bake: '10m',
  rollbackWindow: '10m',
  progressDeadline: '10s',
}
