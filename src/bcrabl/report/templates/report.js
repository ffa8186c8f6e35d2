/* Sorting, filtering and one selection shared by tables, plate map and curves. Everything it shows is in the page. */
(() => {
  "use strict";
  const all = (what, from = document) => Array.from(from.querySelectorAll(what));
  const collator = new Intl.Collator("en", { numeric: true });

  /* -- tables -- */
  const valueOf = (row, column) => {
    const cell = row.cells[column], number = cell.querySelector("data");
    return number && cell.firstElementChild.tagName === "DATA" ? Number(number.value === "inf" ? Infinity : number.value) : cell.textContent.trim();
  };
  const isMissing = (value) => value === "" || (typeof value === "string" && value.startsWith("–"));
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : typeof a === typeof b ? collator.compare(a, b) : typeof a === "number" ? -1 : 1;
  const sort = (head, column) => {
    const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1, body = head.closest("table").tBodies[0];
    all("th", head.parentNode).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    const rows = Array.from(body.rows, (row) => [valueOf(row, column), row]);
    rows.sort(([a], [b]) => isMissing(a) - isMissing(b) || (isMissing(a) ? 0 : direction * compare(a, b)));
    body.append(...rows.map(([, row]) => row));
  };
  all("table.sortable").forEach((table) => all("thead th", table).forEach((head, column) => {
    const button = document.createElement("button"), title = head.querySelector("span");
    button.type = "button";
    button.textContent = title.textContent;
    title.className = "plain"; /* browsers do not repeat buttons on each printed page */
    title.before(button);
    button.addEventListener("click", () => sort(head, column));
  }));
  all(".tools").forEach((tools) => {
    tools.hidden = false;
    const table = document.getElementById(tools.dataset.for), search = tools.querySelector("input[type=search]");
    if (!table || !search) return;
    const choice = tools.querySelector("select"), said = tools.querySelector("output"), rows = Array.from(table.tBodies[0].rows);
    const texts = new Map();
    const filter = () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean), wanted = choice ? choice.value : "";
      let shown = 0;
      rows.forEach((row) => {
        if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
        row.hidden = Boolean((wanted && row.dataset.outcome !== wanted) || !words.every((word) => texts.get(row).includes(word)));
        shown += !row.hidden;
      });
      said.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} shown; all are printed`;
    };
    search.addEventListener("input", filter);
    if (choice) choice.addEventListener("change", filter);
  });

  /* -- views -- */
  const chosen = (name) => (document.querySelector(`input[name=${name}]:checked`) || {}).value;
  const show = () => {
    all(".view").forEach((view) => { view.hidden = view.dataset.signal !== chosen("signal") || view.dataset.scale !== chosen("scale"); });
    const plate = document.querySelector(".plate"), key = chosen("plate-view");
    if (plate) plate.dataset.view = key;
    all(".legend").forEach((legend) => { legend.hidden = !legend.classList.contains({ cq: "q", call: "c", role: "o" }[key]); });
  };
  all("input[type=radio]").forEach((input) => input.addEventListener("change", show));
  show();

  /* -- selection -- */
  const byWell = new Map(), wellsOf = new Map(), roles = new Map(), about = new Map(), selected = new Set();
  const push = (map, key, value) => { if (!map.has(key)) map.set(key, []); map.get(key).push(value); };
  all("[data-well]").forEach((element) => push(byWell, element.dataset.well, element));
  all("table.reactions tbody tr").forEach((row) => {
    const { well, sample, target, role } = row.dataset, cq = row.cells[5].firstChild ? row.cells[5].firstChild.textContent : "";
    if (sample && !(wellsOf.get(sample) || []).includes(well)) push(wellsOf, sample, well);
    push(roles, role, well);
    push(about, well, [sample || "no sample", `${target} Cq ${cq}`]);
  });
  const samples = all("table.results tbody tr"), charts = all("figure svg");
  const bar = document.getElementById("bar"), said = document.getElementById("said");
  const describe = (well) => {
    const entries = about.get(well) || [];
    return `${well} (${[...new Set(entries.map((entry) => entry[0]))].join(", ")}: ${entries.map((entry) => entry[1]).join(", ")})`;
  };
  const select = (wells) => {
    const before = [...selected];
    selected.clear();
    wells.forEach((well) => selected.add(well));
    new Set([...before, ...selected]).forEach((well) => (byWell.get(well) || []).forEach((element) => {
      const on = selected.has(well);
      element.classList.toggle("on", on);
      if (element.classList.contains("well")) element.setAttribute("aria-pressed", String(on));
    }));
    samples.forEach((row) => row.classList.toggle("on", (wellsOf.get(row.dataset.sample) || []).some((well) => selected.has(well))));
    charts.forEach((chart) => chart.classList.toggle("some", selected.size > 0));
    bar.hidden = !selected.size;
    const few = [...selected].slice(0, 8).map(describe).join("; ");
    said.textContent = selected.size ? `${selected.size} ${selected.size > 1 ? "wells" : "well"} selected: ${few}${selected.size > 8 ? "; …" : ""}` : "";
  };
  const toggle = (well) => select(selected.has(well) ? [...selected].filter((other) => other !== well) : [...selected, well]);

  let pointed = [], label = null;
  const point = (wells, chart) => {
    pointed.forEach((well) => (byWell.get(well) || []).forEach((element) => element.classList.remove("hover")));
    pointed = wells.filter(Boolean);
    pointed.forEach((well) => (byWell.get(well) || []).forEach((element) => element.classList.add("hover")));
    if (label) label.remove();
    label = null;
    if (!chart || !pointed.length) return;
    label = document.createElementNS(chart.namespaceURI, "text");
    label.setAttribute("class", "small halo");
    label.setAttribute("x", String(chart.viewBox.baseVal.width - 16));
    label.setAttribute("y", "30");
    label.setAttribute("text-anchor", "end");
    label.textContent = describe(pointed[0]);
    chart.append(label);
  };
  const near = [[0, 0], [0, -3], [0, 3], [-3, 0], [3, 0], [0, -6], [0, 6], [-6, 0], [6, 0]];
  const wellAt = (event, chart) => {
    for (const [x, y] of near) {
      const found = document.elementFromPoint(event.clientX + x, event.clientY + y);
      if (found && found.dataset.well && chart.contains(found)) return found.dataset.well;
    }
    return "";
  };
  charts.forEach((chart) => {
    chart.addEventListener("pointermove", (event) => {
      const well = wellAt(event, chart);
      if (well !== (pointed[0] || "")) point([well], chart);
    });
    chart.addEventListener("pointerleave", () => point([]));
    chart.addEventListener("click", (event) => { const well = wellAt(event, chart); if (well) toggle(well); });
  });
  all("tr[data-well], tr[data-sample], .well").forEach((element) => {
    const { well, sample } = element.dataset;
    const wells = () => (well ? [well] : wellsOf.get(sample) || []);
    ["pointerenter", "focusin"].forEach((name) => element.addEventListener(name, () => point(wells())));
    ["pointerleave", "focusout"].forEach((name) => element.addEventListener(name, () => point([])));
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest ? event.target.closest("button") : null;
    if (!button) return;
    const { well, pickWell, pickSample, pickRole } = button.dataset;
    if (well || pickWell) toggle(well || pickWell);
    else if (pickSample !== undefined) select(wellsOf.get(pickSample) || []);
    else if (pickRole !== undefined) select(pickRole.split(" ").flatMap((role) => roles.get(role) || []));
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && selected.size) select([]); });

  /* -- arrow keys on the plate: one stop for the tab key -- */
  const plate = document.querySelector(".plate");
  if (plate) {
    const grid = Array.from(plate.tBodies[0].rows, (row) => all("td", row).map((cell) => cell.querySelector("button")));
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const wells = grid.flat().filter(Boolean);
    wells.forEach((button, k) => { button.tabIndex = k ? -1 : 0; });
    plate.addEventListener("focusin", (event) => { if (event.target.tabIndex < 0) wells.forEach((button) => { button.tabIndex = button === event.target ? 0 : -1; }); });
    plate.addEventListener("keydown", (event) => {
      const step = steps[event.key], from = event.target;
      if (!step) return;
      event.preventDefault();
      let row = grid.findIndex((buttons) => buttons.includes(from)), column = row < 0 ? 0 : grid[row].indexOf(from);
      do { row += step[0]; column += step[1]; } while (grid[row] && column >= 0 && column < grid[row].length && !grid[row][column]);
      if (grid[row] && grid[row][column]) grid[row][column].focus();
    });
  }
})();
