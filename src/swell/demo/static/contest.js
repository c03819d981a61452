// Keeps the home page alive: a countdown to the next full hour, and standings that follow the contest.

const REFRESH_INTERVAL_MS = 5000;

function showCountdown(place) {
  const left_s = 3600 - Math.floor(Date.now() / 1000) % 3600;
  place.textContent = `${Math.floor(left_s / 60)} min ${String(left_s % 60).padStart(2, "0")} s`;
}

async function showStandings(table) {
  const response = await fetch("/leaderboard.json");
  if (!response.ok) return;
  const { standings } = await response.json();
  const leading = standings.slice(0, Number(table.dataset.liveStandings));
  table.tBodies[0].replaceChildren(...leading.map(standingRow));
}

function standingRow({ rank, team, solved, points }) {
  const row = document.createElement("tr");
  for (const value of [rank, team]) row.insertCell().textContent = value;
  for (const value of [solved, points]) {
    const cell = row.insertCell();
    cell.className = "number";
    cell.textContent = value;
  }
  return row;
}

const countdown = document.querySelector("[data-countdown]");
if (countdown) {
  showCountdown(countdown);
  setInterval(showCountdown, 1000, countdown);
}

const liveTable = document.querySelector("[data-live-standings]");
if (liveTable) setInterval(showStandings, REFRESH_INTERVAL_MS, liveTable);
