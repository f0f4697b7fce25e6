// Stands for the client of a real queue, so that the example runs by itself. Most of them have these three: consume, pause
// (which waits for the job at hand) and resume.

let jobs = 0

export function consume(handle) {
  let isPaused = false
  let current = Promise.resolve()

  function next() {
    if (isPaused) return
    jobs += 1
    current = handle(`${process.pid}-${jobs}`)
    void current.then(next)
  }

  next()
  return {
    pause() {
      isPaused = true
      return current
    },
    resume() {
      if (!isPaused) return
      isPaused = false
      void current.then(next)
    },
  }
}
