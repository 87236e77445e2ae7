// A line of plain text. Given by Gradio: element, props, watch.
const show = () => { element.querySelector('.l2t-line').textContent = props.value || ''; };
watch('value', show);
show();
