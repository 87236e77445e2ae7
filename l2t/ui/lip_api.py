"""The named endpoint of lip reading, for scripts."""

import gradio as gr

from l2t.errors import L2TError
from l2t.read import transcripts
from l2t.service import Service
from l2t.ui.api import outcome
from l2t.ui.read_lips import lip_order


class LipApi:
    """The handler; a job belongs to the client that ordered it."""

    def __init__(self, service: Service):
        self.service = service

    async def read_lips(self, recording, film, noise, snr, rules, request: gr.Request):
        """Read a recording by ear, by eye and by both, through noise.

        Args:
            recording: audio file with 0.4 to 10 seconds of speech.
            film: film of the mouth taken with it, 96 x 96 pixels; empty: the head's lips are read.
            noise: none, babble, white or music.
            snr: dB of the voice over the noise, -20 to 40.
            rules: grid (six words in the corpus' order), words (its 51 in any order) or phones.

        Returns:
            The transcripts (audio, lips, both: text and words with start, end and confidence;
            free_speech: Whisper's, null where it is not there), and the noisy sound as wav.
        """
        try:
            order = lip_order(recording, noise, snr, rules or "grid", film, "")
            job = self.service.submit(order, request.session_hash or "")
            result = await outcome(self.service, job)
        except L2TError as refusal:
            raise gr.Error(str(refusal), print_exception=False) from None
        return transcripts(result.take), str(result.sound)


def name_lip_endpoint(service: Service) -> None:
    """Put the endpoint on the page that is being built."""
    with gr.Row(visible=False):
        recording, film = gr.Audio(type="filepath", label="recording"), gr.File(label="film")
        noise, snr = gr.Textbox("babble", label="noise"), gr.Number(0, label="snr")
        rules, go = gr.Textbox("grid", label="rules"), gr.Button("read_lips")
        found, sound = gr.JSON(label="transcripts"), gr.File(label="heard")
    inputs = [recording, film, noise, snr, rules]
    go.click(LipApi(service).read_lips, inputs, [found, sound], api_name="read_lips")
