"use strict";
// Counts the seconds of every <time data-seconds="90"> down: the server said how many are left, by its own clock.
{
  const started = performance.now();
  const shown = (seconds) => {
    if (seconds <= 0) return "over";
    const days = Math.floor(seconds / 86400);
    const clock = new Date(1000 * (seconds % 86400)).toISOString().slice(11, 19);
    return days ? `${days} d ${clock}` : clock;
  };
  const tick = () => {
    const passed = (performance.now() - started) / 1000;
    for (const time of document.querySelectorAll("time[data-seconds]")) {
      time.textContent = shown(Math.floor(Number(time.dataset.seconds) - passed));
    }
  };
  document.addEventListener("DOMContentLoaded", () => {
    tick();
    setInterval(tick, 1000);
  });
}
