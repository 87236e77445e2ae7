"""How the page is served: what is open, what is shown, what is allowed."""

import gradio as gr

from l2t.ui.examples import FOLDER as EXAMPLES
from l2t.ui.theme import read, theme


def launch(page: gr.Blocks, host: str, port: int | None, max_bytes: int) -> str:
    """Serve the page and return its address at once; nothing is shared or reported anywhere.

    host: address to listen on; port: None = the first free one from 7860 on.
    max_bytes: largest upload.
    """
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css=read("page.css"),
        prevent_thread_lock=True,
        share=False,
        ssr_mode=False,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        quiet=True,
        max_file_size=max_bytes,
        allowed_paths=[str(EXAMPLES)],
        footer_links=["api"],
    )
    return address
