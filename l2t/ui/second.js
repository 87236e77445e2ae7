// The right head of a film of two, for screens that are too narrow for both: the style sheet cuts the
// film to its left half there and shows this canvas below it, which copies the right half of the
// very picture that the film shows. Given by Gradio: element, props. props.film: see plot.js.
const FILM = `${props.film} video`, canvas = element.querySelector('canvas');
const film = () => document.querySelector(FILM);
let copying = false;

function copy() {
  const player = film(), side = player?.videoHeight;
  copying = Boolean(side) && element.isConnected && !player.paused && canvas.clientWidth > 0;
  if (side && canvas.clientWidth) {
    if (canvas.width !== side) canvas.width = canvas.height = side;
    canvas.getContext('2d').drawImage(player, player.videoWidth - side, 0, side, side, 0, 0, side, side);
  }
  if (copying) requestAnimationFrame(copy);
}

function onMedia(event) {
  if (event.target.matches?.(FILM) && !copying) copy();
}

['loadeddata', 'playing', 'pause', 'seeked', 'timeupdate', 'emptied'].forEach((name) => {
  document.addEventListener(name, onMedia, true); // they do not bubble
});
canvas.addEventListener('click', () => (film()?.paused ? film().play() : film()?.pause()));
new ResizeObserver(() => copying || copy()).observe(canvas);
copy();
