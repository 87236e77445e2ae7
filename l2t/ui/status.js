// Progress, notes and refusals. Given by Gradio: element, props, watch. props.value is a line of
// JSON: {alert, note, steps: [names], step: index of the one at work, fraction: of that step}.
const find = (selector) => element.querySelector(selector);

function say(selector, text) { // only when it changed: screen readers repeat what is written again
  const place = find(selector);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

function show(text) {
  const state = text ? JSON.parse(text) : {};
  const steps = state.steps || [], done = (state.step || 0) + (state.fraction || 0);
  const percent = steps.length ? Math.round((100 * done) / steps.length) : 0;
  say('.l2t-alert', state.alert || '');
  say('.l2t-note', state.note || '');
  find('.l2t-work').hidden = !steps.length;
  find('.l2t-work').setAttribute('aria-valuenow', String(percent));
  find('.l2t-work').setAttribute('aria-valuetext', steps[state.step] || '');
  find('.l2t-bar span').style.width = `${percent}%`;
  find('.l2t-steps').replaceChildren(...steps.map((name, i) => {
    const item = document.createElement('li');
    item.textContent = name;
    item.className = i < state.step ? 'l2t-done' : i === state.step ? 'l2t-current' : '';
    return item;
  }));
}

watch('value', () => show(props.value));
show(props.value);
