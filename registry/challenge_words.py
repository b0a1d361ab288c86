"""Words of challenges: short, in everyday use, and not easily taken for one another by ear."""

from typing import Final

_TEXT: Final = """
acorn amber anchor apple april arrow aspen autumn badge bagel bamboo banjo barley basket beach
beacon beetle bench berry birch blanket blossom bonfire border bottle branch bread breeze brick
bridge bronze bucket buffalo butter button cabin cactus camel candle canoe canyon carpet carrot
castle cedar cellar chalk cherry chestnut circle citrus clover cobalt coffee comet copper coral
cotton cradle crane crayon cricket crystal cuckoo curtain daisy dancer dawn desert diamond
dolphin domino donkey dragon drummer eagle earth easel echo elbow elephant ember emerald engine
falcon feather fennel ferry fiddle filter finger flame flower flute forest fossil fountain fox
freckle garden garlic gecko ginger glacier globe goblet golden gondola granite grape grass
guitar hammer hammock harbor harvest hazel helmet heron hickory hockey honey hornet icicle
indigo island ivory jacket jaguar jasmine jelly jersey jigsaw jungle juniper kettle kitten
ladder lagoon lantern lemon leopard lilac lion lizard lobster lotus magnet mango maple marble
market meadow melon mirror mitten monkey mosaic mountain muffin napkin nectar needle nickel
night north nutmeg oasis ocean olive onion opal orange orbit orchid oregano otter oyster paddle
panda paper parrot pasture peach pearl pebble pelican pencil pepper piano pigeon pillow pine
planet plum pocket pony poppy potato prairie prism pumpkin puzzle quartz quilt rabbit radish
rainbow raven ribbon river robin rocket rooster ruby saddle saffron sailor salmon sandal satin
scarf school season shadow shell silver sister sketch snow socket spider spinach spring spruce
squirrel stable starling stone summer sunset swallow tango teapot temple thistle thunder tiger
timber tomato topaz tower tractor trumpet tulip tunnel turtle umbrella valley vanilla velvet
violet violin walnut walrus water weaver whale whistle willow window winter wizard wolf yellow
yogurt zebra zipper
"""
WORDS: Final = tuple(_TEXT.split())
