"""Words of prompts, in many languages, that tell what is wanted of whoever is named."""

from typing import Final

from registry.policy.vocabulary import AiUse, Modality

# For each use: what of a person it takes, and the words that ask for it.
CUES: Final[dict[AiUse, tuple[Modality, str]]] = {
    AiUse.SYNTHESIZE_SPEECH: (
        Modality.VOICE,
        """
        voice, voices, voiced, speak, speaks, speaking, speech, say, says, saying
        narrate, narrates, narrated, narration, read aloud, audiobook
        声音, 语音, 嗓音, 配音, 朗读, 聲音, 語音, 声, 話す, 목소리, 음성, голос, голосом
        voz, voix, stimme, voce, صوت, आवाज, आवाज़
        """,
    ),
    AiUse.SYNTHESIZE_SINGING: (
        Modality.VOICE,
        """
        sing, sings, singing, sung, song, songs, rap, 唱, 演唱, 歌, 歌曲, 歌う, 노래
        поёт, песня, песню, canta, cantar, chante, chanter, singt, singen, canzone
        أغنية, يغني, गाना, गीत
        """,
    ),
    AiUse.GENERATE_IMAGE: (
        Modality.FACE,
        """
        photo, photos, photograph, photographs, photorealistic, picture, pictures
        image, images, portrait, portraits, selfie, poster, drawing, painting
        照片, 图片, 图像, 肖像, 画像, 照, 圖片, 写真, 画, 사진, 그림, фото, фотография, портрет
        foto, fotos, imagen, retrato, bild, immagine, صورة, तस्वीर, फोटो
        """,
    ),
    AiUse.GENERATE_VIDEO: (
        Modality.FACE,
        """
        video, videos, clip, clips, film, movie, animation, 视频, 影片, 短片, 視頻, 動画, 映像
        영상, 동영상, 비디오, видео, vídeo, vidéo, فيديو, वीडियो
        """,
    ),
    AiUse.SWAP_FACE: (
        Modality.FACE,
        """
        face swap, face swaps, faceswap, deepfake, deepfakes, swap the face
        换脸, 換臉, дипфейк, 딥페이크
        """,
    ),
    AiUse.LIP_SYNC: (
        Modality.FACE,
        "lip sync, lip synced, lipsync, 对口型, 對口型, 口パク, 립싱크",
    ),
}
