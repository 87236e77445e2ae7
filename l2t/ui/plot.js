// The plot beside a film. Given by Gradio: element, props, watch. props.value is a line of JSON
// (see plot.py); everything from it is shown through textContent or drawn, never as markup.
// props.film: selector of the film's place.
const FILM = `${props.film} video`;
const NARROW = 640; // px of a page whose columns stand below each other
const MARGIN = { left: 30, right: 10, top: 12, bottom: 22 }; // px around the drawing
const find = (selector) => element.querySelector(selector);
const stage = find('.l2t-stage'), canvas = find('canvas');
let data = null, width = 0, height = 0, looping = false, backdrop = null, spokenAt = -1;

const film = () => document.querySelector(FILM);
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const span = () => Math.max(width - MARGIN.left - MARGIN.right, 1);
const toX = (seconds) => MARGIN.left + (seconds / data.seconds) * span();
const toY = (level) => MARGIN.top + (1 - level) * (height - MARGIN.top - MARGIN.bottom);
const toSeconds = (x) => clamp(((x - MARGIN.left) / span()) * data.seconds, 0, data.seconds);

function show(text) {
  data = text ? JSON.parse(text) : null;
  element.classList.toggle('l2t-has-take', Boolean(data));
  stage.tabIndex = data ? 0 : -1;
  stage.setAttribute('aria-disabled', String(!data));
  stage.setAttribute('aria-valuemax', data ? data.seconds.toFixed(2) : '0');
  const curves = data ? data.curves : [];
  find('.l2t-summary').textContent = curves.map(({ name, summary }) => `${name} ${summary}`.trim()).join(' ');
  find('.l2t-notice').textContent = data ? data.notice : '';
  find('.l2t-scores').replaceChildren(...curves.map(score));
  element.querySelectorAll('.l2t-key-curve').forEach((key) => key.tagName === 'LI' && key.remove());
  find('.l2t-legend').prepend(
    ...(data ? curves : [{}]).map((curve, i) => tag('li', curve.name || 'sync confidence', i)));
  spokenAt = -1;
  resize();
  if (data && window.innerWidth <= NARROW) { // the take lies below the fold there
    document.querySelector(props.film)?.scrollIntoView({ block: 'start', behavior: 'auto' });
  }
}

function tag(name, text, number) { // with the line of a curve before it
  const made = document.createElement(name);
  made.textContent = text;
  made.className = `l2t-key-curve l2t-curve-${number}`;
  return made;
}

function score({ name, readings }, number) {
  const box = document.createElement('section'), list = document.createElement('dl');
  list.className = 'l2t-readings';
  list.replaceChildren(...readings.map(reading));
  box.replaceChildren(...(name ? [tag('h3', name, number)] : []), list);
  return box;
}

function reading({ name, value, words }) {
  const box = document.createElement('div');
  for (const [tag, text] of [['dt', name], ['dd', value], ['dd', words]]) {
    box.appendChild(document.createElement(tag)).textContent = text;
  }
  return box;
}

// -- drawing: a backdrop once per take, size or theme; the cursor on top of it each frame

function colours() {
  const style = getComputedStyle(element);
  const of = (name) => style.getPropertyValue(name).trim();
  return { wave: of('--l2t-wave'), curves: [of('--l2t-accent'), of('--l2t-other')],
    fill: of('--l2t-accent-soft'), quiet: of('--l2t-quiet'), grid: of('--l2t-line'), text: of('--l2t-muted'),
    cursor: of('--l2t-ink') };
}

function resize() {
  const box = stage.getBoundingClientRect(), scale = window.devicePixelRatio || 1;
  width = box.width;
  height = box.height;
  if (!width) film()?.pause(); // its tab is not the open one: no sound out of nowhere
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  backdrop = null;
  draw();
}

function paintBackdrop() {
  const scale = canvas.width / Math.max(width, 1), c = colours();
  backdrop = document.createElement('canvas');
  backdrop.width = canvas.width;
  backdrop.height = canvas.height;
  const pen = backdrop.getContext('2d');
  pen.scale(scale, scale);
  pen.font = '11px system-ui, sans-serif';
  paintSilences(pen, c);
  paintAxes(pen, c);
  paintWave(pen, c);
  data.curves.forEach((curve, i) => paintCurve(pen, c, curve, i));
}

function paintSilences(pen, c) {
  for (const [start, end] of data.silences) {
    const left = toX(start), wide = toX(Math.min(end, data.seconds)) - left;
    pen.save();
    pen.beginPath();
    pen.rect(left, toY(1), wide, toY(0) - toY(1));
    pen.clip();
    pen.fillStyle = pen.strokeStyle = c.quiet;
    pen.globalAlpha = 0.35;
    pen.fillRect(left, toY(1), wide, toY(0) - toY(1));
    pen.globalAlpha = 0.9;
    pen.beginPath();
    for (let x = left - height; x < left + wide; x += 7) {
      pen.moveTo(x, toY(0));
      pen.lineTo(x + height, toY(0) - height);
    }
    pen.stroke();
    pen.restore();
  }
}

function paintAxes(pen, c) {
  pen.strokeStyle = c.grid;
  pen.fillStyle = c.text;
  pen.lineWidth = 1;
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  for (const level of [0, 0.5, 1]) {
    const y = Math.round(toY(level)) + 0.5;
    pen.beginPath();
    pen.moveTo(MARGIN.left, y);
    pen.lineTo(width - MARGIN.right, y);
    pen.stroke();
    pen.fillText(String(level), MARGIN.left - 6, y);
  }
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20].find((s) => (s / data.seconds) * span() >= 48) || 60;
  pen.textAlign = 'center';
  pen.textBaseline = 'alphabetic';
  for (let i = 0; i * step <= data.seconds; i += 1) {
    const label = `${(i * step).toFixed(step < 1 ? 1 : 0)} s`, half = pen.measureText(label).width / 2;
    pen.fillText(label, clamp(toX(i * step), MARGIN.left, width - half - 1), height - 6);
  }
}

function paintWave(pen, c) {
  const bars = data.envelope.length, middle = toY(0.5), reach = (toY(0) - toY(1)) * 0.42;
  const wide = span() / bars;
  pen.fillStyle = c.wave;
  data.envelope.forEach((peak, i) => {
    const tall = Math.max(peak * reach, 0.5);
    pen.fillRect(MARGIN.left + i * wide, middle - tall, Math.max(wide * 0.8, 0.6), 2 * tall);
  });
}

function paintCurve(pen, c, { confidence }, number) { // the second one is dashed
  pen.lineWidth = 2;
  pen.lineJoin = 'round';
  pen.lineCap = number ? 'butt' : 'round';
  pen.setLineDash(number ? [7, 4] : []);
  for (const run of runs(confidence)) {
    pen.beginPath();
    run.forEach(([x, y]) => pen.lineTo(x, y));
    pen.strokeStyle = c.curves[number];
    pen.stroke();
    if (data.curves.length > 1) continue; // one ground under two curves would tell nothing
    pen.lineTo(run[run.length - 1][0], toY(0));
    pen.lineTo(run[0][0], toY(0));
    pen.fillStyle = c.fill;
    pen.fill();
  }
}

function runs(confidence) { // the defined stretches of the curve, as points; a lone frame gets some width
  const found = [];
  let open = null;
  confidence.forEach((value, i) => {
    if (value === null) { open = null; return; }
    if (!open) { open = [[toX(i / data.fps), toY(clamp(value, 0, 1))]]; found.push(open); }
    open.push([toX(Math.min((i + 0.5) / data.fps, data.seconds)), toY(clamp(value, 0, 1))]);
  });
  return found;
}

function draw() {
  const pen = canvas.getContext('2d');
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!data || !width) { find('.l2t-now').textContent = ''; return; }
  if (!backdrop) paintBackdrop();
  pen.drawImage(backdrop, 0, 0);
  const scale = canvas.width / width, now = position(), x = toX(now);
  pen.scale(scale, scale);
  pen.fillStyle = colours().cursor;
  pen.fillRect(x - 1, toY(1), 2, toY(0) - toY(1));
  pen.beginPath();
  pen.arc(x, toY(1), 5, 0, 7);
  pen.fill();
  tell(now);
}

// -- where the film is, in words too

const position = () => clamp(film()?.currentTime || 0, 0, data.seconds);

function tell(now) {
  const frame = Math.floor(now * data.fps + 1e-6);
  const known = data.curves.filter(({ confidence }) => confidence[frame] != null);
  const values = known.map(({ confidence }) => confidence[frame].toFixed(2));
  const quiet = data.silences.some(([start, end]) => now >= start && now < end);
  const none = quiet ? 'silence' : 'not scored';
  const level = values.map((value, i) => `${known[i].name} confidence ${value}`.trim()).join(', ') || none;
  find('.l2t-now').textContent = `${now.toFixed(2)} s · ${values.join(' | ') || none}`;
  stage.dataset.cursor = String(now);
  const playing = film() && !film().paused;
  if (playing && Math.abs(now - spokenAt) < 1) return; // no flood of words while it plays
  spokenAt = now;
  stage.setAttribute('aria-valuenow', now.toFixed(2));
  stage.setAttribute('aria-valuetext', `${now.toFixed(2)} of ${data.seconds.toFixed(2)} seconds, ${level}`);
}

function loop() {
  looping = element.isConnected && Boolean(data) && Boolean(film()) && !film().paused;
  draw();
  if (looping) requestAnimationFrame(loop);
}

function onMedia(event) {
  if (!data || !event.target.matches?.(FILM)) return;
  if (!width) event.target.pause();
  if (!looping) loop();
}

const MEDIA = ['play', 'playing', 'pause', 'seeking', 'seeked', 'timeupdate', 'ended', 'loadedmetadata'];
MEDIA.forEach((name) => document.addEventListener(name, onMedia, true)); // they do not bubble

// -- seeking: to the middle of a frame, so that there is no doubt which one is shown

function seek(seconds) {
  const player = film();
  if (!data || !player) return;
  const last = Math.max(Math.ceil(data.seconds * data.fps) - 1, 0);
  player.currentTime = (clamp(Math.floor(seconds * data.fps + 1e-6), 0, last) + 0.5) / data.fps;
}

function onPointer(event) {
  if (!data || (event.type === 'pointermove' && !stage.hasPointerCapture(event.pointerId))) return;
  if (event.type === 'pointerdown') {
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
  }
  seek(toSeconds(event.clientX - stage.getBoundingClientRect().left));
}

stage.addEventListener('pointerdown', onPointer);
stage.addEventListener('pointermove', onPointer);

stage.addEventListener('keydown', (event) => {
  const player = film();
  if (!data || !player || event.ctrlKey || event.metaKey || event.altKey) return;
  const small = event.shiftKey ? 0.1 : 1 / data.fps, now = player.currentTime;
  const target = { ArrowRight: now + small, ArrowUp: now + 0.1, PageUp: now + 1, ArrowLeft: now - small,
    ArrowDown: now - 0.1, PageDown: now - 1, Home: 0, End: data.seconds }[event.key];
  if (target !== undefined) seek(target);
  else if (event.key === ' ') (player.paused ? player.play() : player.pause());
  else return;
  event.preventDefault();
});

new ResizeObserver(resize).observe(stage);
const repaint = () => { backdrop = null; draw(); };
new MutationObserver(repaint).observe(document.body, { attributeFilter: ['class'] });
new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ['class'] });
watch('value', () => show(props.value));
show(props.value);
